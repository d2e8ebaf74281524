import { marked } from 'marked';

/** Pages that the guide leads to; what lies elsewhere is for readers of the repository. */
const PAGES = { 'cli.md': 'cli', 'formats.md': 'formats' };

/** A page of docs/ as HTML that is ready when the window is built: `import { html } from '#docs/….md'`. Its pictures are built along. */
export function markdown() {
  return {
    name: 'markdown',
    transform(text, id) {
      if (!id.endsWith('.md')) return undefined;
      const pictures = [];
      const html = withoutLinks(marked.parse(text, { async: false })).replace(/<img src="([^"]+)"/gu, (_, source) => {
        pictures.push(source);
        return `<img loading="lazy" src="\${picture${pictures.length - 1}}"`;
      });
      const imports = pictures.map((source, i) => `import picture${i} from ${JSON.stringify(`./${source}`)};\n`).join('');
      const literal = html.replace(/[\\`]/gu, '\\$&').replace(/\$\{(?!picture\d+\})/gu, '\\${');
      return { code: `${imports}export const html = \`${literal}\`;\n`, map: null };
    },
  };
}

function withoutLinks(html) {
  return html.replace(/<a href="([^"]*)"[^>]*>(.*?)<\/a>/gsu, (_, address, text) => {
    const page = PAGES[address.split('/').at(-1)];
    return page ? `<a href="#${page}">${text}</a>` : text;
  });
}
