/** The known ones of some parts, as an addition in brackets; nothing where there are none. */
export function listOf(parts: unknown, names: Readonly<Record<string, string>>): string {
  const known = Array.isArray(parts) ? parts.flatMap((part) => names[String(part)] ?? []) : [];
  return known.length > 0 ? ` (${known.join(', ')})` : '';
}
