/** What an instruction asks of a thing: that it be gone, or that it be there. */
export type Wording = 'away' | 'for';

/** In the languages of the window. */
const AWAY =
  /\b(?:removed?|erased?|deleted?|hide|disappear|vanish|gone|away|rid of|take out|wipe out|without|want no|entfernen?|beseitigen?|keinen?|kein|lösche?n?|weg|verschwinden|ohne)\b/iu;
const FOR = /\b(?:add|insert|put|place|draw|there should be|füge|hinzu|einfügen|setze|zeichne)\b/iu;

/** What the words of an instruction ask for. A hint only, in some languages: what the run shows decides. */
export function wordingOf(instruction: string): Wording | undefined {
  if (AWAY.test(instruction)) return 'away';
  return FOR.test(instruction) ? 'for' : undefined;
}
