import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import plan from './scripts/rooms.cjs';

/** What is said of functions and files everywhere; see CONTRIBUTING.md. */
const house = {
  'max-params': ['error', 3],
  'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
  complexity: ['error', 12],
  'func-style': ['error', 'declaration', { allowArrowFunctions: true }],
  eqeqeq: 'error',
  'no-console': 'error',
  '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
  // Typed arrays are indexed inside their length; the checks would drown the arithmetic.
  '@typescript-eslint/no-non-null-assertion': 'off',
  '@typescript-eslint/consistent-type-imports': 'error',
  '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
  'no-restricted-syntax': [
    'error',
    { selector: 'ExportAllDeclaration', message: 'No barrels: import from the file that declares it.' },
    { selector: 'ExportDefaultDeclaration', message: 'Exports have names.' },
  ],
};

/** `src-renderer/state` is imported as `#state/…`. */
const alias = (room) => `#${room.replace(/^src-(main|renderer)\//u, '')}/`;

/**
 * The window's rows of the plan once more, as import names: dependency-cruiser does not see `import type` inside
 * a .svelte script. Written as regular expressions, because a glob that starts with # is read as a comment.
 */
function fence(files, seen, relative = []) {
  const names = `^#(?!${seen.map((room) => alias(room).slice(1)).join('|')})`;
  const patterns = [names, '^node:', '^electron$', ...relative].map((regex) => ({
    regex,
    message: 'The plan in scripts/rooms.cjs has no such arrow.',
  }));
  return { files, rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns }] } };
}

const windowRooms = Object.entries(plan.rooms).filter(([room]) => room.startsWith('src-renderer/'));
const fences = windowRooms.map(([room, seen]) => {
  const folder = room === plan.TOPIC ? 'src-renderer/ui/!(shared|views)' : room;
  const own = room === plan.TOPIC ? [] : [room];
  return fence([`${folder}/**`], [...own, ...seen], room.includes('/ui/') ? ['^\\.\\./'] : []);
});

export default ts.config(
  {
    ignores: [
      'dist',
      'node_modules',
      'models',
      'coverage',
      'test-results',
      'playwright-report',
      'scripts',
      // AssemblyScript, which its own compiler checks.
      'src-kernels',
      'test/desktop/double',
      'test/bench/*.mjs',
      '*.config.ts',
      '*.config.js',
      '.dependency-cruiser.cjs',
    ],
  },
  js.configs.recommended,
  ...ts.configs.strictTypeChecked,
  ...ts.configs.stylisticTypeChecked,
  ...svelte.configs.recommended,
  prettier,
  {
    languageOptions: { globals: { ...globals.node }, parserOptions: { projectService: true, extraFileExtensions: ['.svelte'] } },
    rules: house,
  },
  {
    files: ['src-renderer/**'],
    languageOptions: { globals: globals.browser },
  },
  ...fences,
  fence([plan.compositionRoot], plan.seenByCompositionRoot),
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser } },
  },
  {
    // The linter sees components as any; svelte-check knows their types and checks them.
    files: ['**/*.svelte', 'src-renderer/main.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  {
    files: ['test/**'],
    rules: {
      'max-lines': 'off',
      'max-params': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
);
