/** `a.b.png` → `a.b` and `.png`. */
export function splitName(name: string): { readonly stem: string; readonly extension: string } {
  const match = /^(.*)(\.[A-Za-z0-9]{1,8})$/su.exec(name);
  return match === null ? { stem: name, extension: '' } : { stem: match[1] ?? '', extension: match[2] ?? '' };
}

/** `OUT.png` of a single result; `OUT-1.png`, `OUT-2.png`… of several. */
export function numberedName(path: string, index: number, count: number): string {
  if (count === 1) return path;
  const { stem, extension } = splitName(path);
  return `${stem}-${String(index + 1)}${extension}`;
}
