/** What an instruction asks of a thing: that it be gone, that it be there, or that it have another colour. */
export type Wording = 'away' | 'for' | 'colour';

/** In the languages of the window. */
const AWAY =
  /\b(?:removed?|erased?|deleted?|hide|disappear|vanish|gone|away|rid of|take out|wipe out|without|want no|entfernen?|beseitigen?|keinen?|kein|lösche?n?|weg|verschwinden|ohne)\b/iu;
const FOR = /\b(?:add|insert|put|place|draw|there should be|füge|hinzu|einfügen|setze|zeichne)\b/iu;

const COLOURS =
  /\b(?:red|blue|green|yellow|orange|purple|violet|magenta|pink|cyan|turquoise|crimson|golden|brown|black|white|gr[ae]y|rot|blau|grün|gelb|lila|violett|rosa|türkis|braun|schwarz|wei(?:ß|ss)|grau)(?:e[nrsm]?)?(?!\p{L})/iu;
const COLOURING =
  /\b(?:colou?r|recolou?r|paint|dye|tint|turn|make|change|set|give|want|should be|färbe?|umfärben|male?|bemale?|streiche?|mach|soll)(?!\p{L})/iu;
/** Another thing is asked for, of whatever colour. */
const ANOTHER =
  /\b(?:replaced?|swap|exchange|into|to an?|instead|ersetzen?|tauschen?|statt|verwandl?e?n?|verwandle|zu (?:einer|einem|nem))(?!\p{L})/iu;

/** What the words of an instruction ask for. A hint only, in some languages: what the run shows decides. */
export function wordingOf(instruction: string): Wording | undefined {
  if (AWAY.test(instruction)) return 'away';
  if (FOR.test(instruction)) return 'for';
  return COLOURING.test(instruction) && COLOURS.test(instruction) && !ANOTHER.test(instruction) ? 'colour' : undefined;
}

/** The picture, what surrounds a thing, and what no thing has for itself: time of day and weather. */
const PICTURE = new RegExp(
  `\\b(?:${[
    'picture|photo(?:graph)?|image|scene|everything|whole|entire|all of it|background|surroundings|around|behind|outside|sky',
    'day(?:time|light)?|night(?:time)?|midnight|noon|morning|evening|sun(?:set|rise|down|ny)|dusk|dawn|twilight|fog(?:gy)?|mist(?:y)?|haz[ey]|snow(?:y)?|winter',
    'bild|foto|aufnahme|szene|alles|ganze[nrsm]?|hintergrund|umgebung|hinter|draußen|himmel',
    'tag|nacht|mitternacht|mittag|morgen|abend|sonnen(?:untergang|aufgang)|dämmerung|nebel|neblig|dunst|schnee|winter',
  ].join('|')})(?!\\p{L})`,
  'iu',
);

/** Whether the words are about the picture: what they name beside it merely stands there. */
export function isAboutPicture(instruction: string): boolean {
  return PICTURE.test(instruction);
}
