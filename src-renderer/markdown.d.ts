/** A page of docs/, as scripts/markdown.mjs makes it. */
declare module '*.md' {
  export const html: string;
}
