// German instructions in the English words that small vocabularies hold, word by word. Such packs read a bag of words more
// than a grammar: what matters is that every word has its counterpart and that the verb stands first.

/** Words with several meanings, or that only mean something together; tried before single words, the longest first. */
const PHRASES: Readonly<Record<string, string>> = {
  'schwarz weiß': 'black and white',
  'schwarz und weiß': 'black and white',
  'wie es ist': 'as it is',
  'auf der linken seite': 'on the left',
  'auf die linke seite': 'on the left',
  'auf der rechten seite': 'on the right',
  'auf die rechte seite': 'on the right',
  'in der mitte': 'on the middle',
  'in die mitte': 'on the middle',
  'auf dem boden': 'on the ground',
  'bei nacht': 'at night',
  'bei tag': 'at day',
  'zur nacht': 'night',
  'zum tag': 'day',
  'zum abend': 'evening',
  'zum negativ': 'a negative',
  'nach links': 'left',
  'nach rechts': 'right',
  'auf alt': 'look old',
  'ein bisschen': '',
  'ein wenig': '',
};

/** Their infinitives may end a sentence: "das Auto blau machen". Particles that go with them are in `LITTLE`. */
const VERBS: Readonly<Record<string, string>> = {
  make: 'mach mache macht machen lass lasse lassen',
  remove: 'entferne entfern entfernen beseitige beseitigen',
  delete: 'lösche lösch löschen',
  erase: 'radiere radieren ausradieren',
  hide: 'verstecke verstecken verberge verbergen',
  take: 'nimm nehme nehmen wegnehmen',
  add: 'füge füg hinzufügen ergänze ergänzen',
  put: 'setze setz setzen stellen lege leg legen',
  place: 'platziere platzieren',
  draw: 'zeichne zeichnen',
  paint: 'male mal malen anmalen streiche streichen anstreichen',
  color: 'färbe färb färben',
  change: 'ändere ändern verändere verändern',
  turn: 'verwandle verwandeln',
  replace: 'ersetze ersetzen',
  cover: 'bedecke bedecken',
  swap: 'tausche tauschen austauschen vertausche vertauschen',
  apply: 'wende anwenden',
  insert: 'einfügen einsetzen',
  move: 'verschiebe verschieben bewege bewegen',
  shift: 'rücke rücken verrücken',
  shrink: 'verkleinere verkleinern',
  grow: 'vergrößere vergrößern',
  recolor: 'umfärben färbt',
  dye: 'einfärben',
  wipe: 'wische wischen wegwischen',
  get: 'hole holen',
  go: 'geh gehen',
  set: 'stelle stell einstellen',
  give: 'gib geben',
  use: 'benutze benutzen verwende verwenden nimmt',
  brighten: 'erhelle erhellen',
  darken: 'verdunkle verdunkeln abdunkeln',
  lighten: 'aufhellen',
  dim: 'dimme dimmen',
  increase: 'erhöhe erhöhen steigere steigern',
  boost: 'verstärke verstärken',
  desaturate: 'entsättige entsättigen',
  blur: 'verwische verwischen',
  soften: 'weichzeichnen',
  defocus: 'defokussiere defokussieren',
  invert: 'invertiere invertieren umkehren kehre',
  fill: 'fülle füll füllen ausfüllen',
  extend: 'erweitere erweitern',
  expand: 'ausdehnen ausweiten',
  keep: 'behalte behalten',
  leave: 'belasse belassen',
  do: 'tu tue tun',
  convert: 'wandle umwandeln',
};

const NOUNS: Readonly<Record<string, string>> = {
  ball: 'ball balls bälle kugel kugeln',
  box: 'box kiste kisten kasten kastens',
  crate: 'holzkiste',
  sphere: 'sphäre',
  globe: 'globus',
  hoop: 'reif reifens',
  cube: 'würfel würfels',
  pyramid: 'pyramide pyramiden',
  triangle: 'dreieck dreiecks dreiecke',
  star: 'stern sterns sternes sterne',
  ring: 'ring rings ringes ringe reifen',
  heart: 'herz herzens herzen',
  diamond: 'raute rauten diamant diamanten',
  house: 'haus hauses häuser',
  building: 'gebäude gebäudes',
  home: 'heim heims',
  cottage: 'hütte hütten',
  tree: 'baum baums baumes bäume',
  pine: 'tanne tannen kiefer kiefern',
  car: 'auto autos wagen wagens',
  automobile: 'automobil automobils',
  vehicle: 'fahrzeug fahrzeugs',
  grass: 'gras grases',
  lawn: 'rasen rasens',
  meadow: 'wiese wiesen',
  sand: 'sand sandes',
  desert: 'wüste',
  beach: 'strand strandes',
  dunes: 'dünen düne',
  snow: 'schnee schnees',
  ice: 'eis eises',
  winter: 'winter winters',
  road: 'fahrbahn',
  street: 'straße straßen',
  asphalt: 'asphalt asphalts',
  tarmac: 'teer teers',
  pavement: 'pflaster gehweg',
  water: 'wasser wassers',
  lake: 'see sees',
  sea: 'meer meeres',
  ocean: 'ozean ozeans',
  river: 'fluss flusses',
  floor: 'fußboden fußbodens',
  ground: 'boden bodens untergrund grund',
  background: 'hintergrund hintergrunds hintergrundes',
  sky: 'himmel himmels',
  photo: 'foto fotos bild bilds bildes aufnahme',
  picture: 'gemälde',
  scene: 'szene',
  side: 'seite',
  time: 'zeit tageszeit uhrzeit',
  area: 'fläche bereich stelle',
  hole: 'loch lücke',
  color: 'farbe',
  colors: 'farben',
  tones: 'töne farbtöne tönen farbtönen',
  tone: 'ton farbton tönung',
  contrast: 'kontrast kontrasts kontrastes',
  saturation: 'sättigung farbsättigung',
  light: 'licht lichts',
  look: 'look',
  sepia: 'sepia sepiaton',
  negative: 'negativ negative negativen',
  fog: 'nebel nebels',
  mist: 'dunst dunstes',
  haze: 'schleier',
  night: 'nacht nachts',
  nighttime: 'nachtzeit',
  midnight: 'mitternacht',
  day: 'tag tags tages',
  daylight: 'tageslicht',
  noon: 'mittag mittags',
  morning: 'morgen morgens',
  evening: 'abend abends',
  sunset: 'sonnenuntergang',
  sunrise: 'sonnenaufgang',
  sundown: 'sonnenneige',
  twilight: 'zwielicht',
  dusk: 'abenddämmerung dämmerung',
  grayscale: 'graustufen',
  center: 'zentrum',
  middle: 'mitte',
};

/** With every ending: blau, blaue, blauen, blauer, blaues, blauem. */
const ADJECTIVES: Readonly<Record<string, string>> = {
  red: 'rot',
  crimson: 'purpurrot',
  orange: 'orange orangefarben',
  yellow: 'gelb',
  golden: 'golden',
  green: 'grün',
  blue: 'blau',
  purple: 'lila',
  violet: 'violett',
  pink: 'rosa pink rosafarben',
  magenta: 'magenta',
  white: 'weiß',
  black: 'schwarz',
  cyan: 'cyan',
  turquoise: 'türkis türkisfarben',
  gray: 'grau',
  'black and white': 'schwarzweiß',
  monochrome: 'einfarbig monochrom',
  warm: 'warm',
  cold: 'kalt',
  cool: 'kühl',
  bright: 'hell',
  dark: 'dunkel dunkl',
  soft: 'weich',
  blurry: 'unscharf verschwommen',
  vivid: 'lebendig kräftig',
  colorful: 'bunt farbenfroh',
  vibrant: 'leuchtend satt',
  saturated: 'gesättigt',
  contrasty: 'kontrastreich',
  foggy: 'neblig nebelig',
  misty: 'dunstig',
  hazy: 'diesig',
  sunny: 'sonnig',
  snowy: 'verschneit schneebedeckt',
  sandy: 'sandig',
  grassy: 'grasbewachsen',
  old: 'alt',
  vintage: 'altmodisch',
  empty: 'leer',
  small: 'klein',
  big: 'groß',
  whole: 'ganz',
  watery: 'wässrig',
  real: 'echt',
  left: 'link',
  right: 'recht',
};

const COMPARATIVES: Readonly<Record<string, string>> = {
  warmer: 'wärmer',
  cooler: 'kühler',
  colder: 'kälter',
  brighter: 'heller',
  darker: 'dunkler',
  lighter: 'lichter',
  dimmer: 'düsterer',
  'more contrasty': 'kontrastreicher',
  'more saturated': 'gesättigter satter',
  'more vivid': 'lebendiger kräftiger',
  'more colorful': 'bunter farbiger',
  blurry: 'unschärfer weicher',
  bigger: 'größer',
  larger: 'umfangreicher',
  smaller: 'kleiner',
};

const LITTLE: Readonly<Record<string, string>> = {
  the: 'der die das den dem',
  'of the': 'des vom',
  a: 'ein eine einen einem einer',
  it: 'es ihn daraus',
  this: 'dieses diesen diese dieser diesem',
  my: 'mein meine meinen meinem',
  no: 'kein keine keinen keinem',
  nothing: 'nichts',
  everything: 'alles',
  and: 'und',
  on: 'auf',
  to: 'zu zum zur',
  in: 'in',
  'in the': 'im ins',
  at: 'am bei',
  with: 'mit durch',
  of: 'von',
  away: 'weg',
  up: 'hoch rauf hinauf',
  down: 'runter herunter hinunter',
  out: 'raus heraus',
  disappear: 'verschwinden verschwindet',
  gone: 'fort',
  like: 'wie',
  more: 'mehr',
  less: 'weniger',
  very: 'sehr',
  much: 'viel',
  now: 'jetzt nun',
  please: 'bitte',
  can: 'kannst können kann',
  would: 'würdest würden',
  is: 'ist sind',
  looks: 'sieht',
  look: 'aussehen aussieht',
  as: 'als',
  one: 'eins',
  that: 'jenes jenen jene',
  could: 'könntest könnten',
  you: 'du sie',
  i: 'ich',
  want: 'will möchte hätte',
  should: 'soll sollte sollen',
  be: 'sein',
  for: 'für',
  me: 'mir mich',
  there: 'da dort',
  outside: 'draußen',
  unchanged: 'unverändert',
  same: 'gleich gleiche',
  'on the left': 'links',
  'on the right': 'rechts',
  'on the middle': 'mittig',
  // Particles of verbs, and what only smooths a sentence.
  '': 'hinzu dazu an ein um aus auf mal doch bitteschön etwas ganz gerne gern noch einmal',
};

const ENDINGS = ['', 'e', 'en', 'er', 'es', 'em'];

/** Spelt with or without umlauts: "grün" and "gruen" are one word. */
function plain(word: string): string {
  return word.replaceAll('ä', 'ae').replaceAll('ö', 'oe').replaceAll('ü', 'ue').replaceAll('ß', 'ss');
}

function entries(table: Readonly<Record<string, string>>, endings: readonly string[] = ['']): readonly (readonly [string, string])[] {
  return Object.entries(table).flatMap(([english, german]) =>
    german.split(' ').flatMap((word) => endings.map((ending) => [word + ending, english] as const)),
  );
}

/** The first table that holds a word says what it means. */
const SPELLINGS: ReadonlyMap<string, string> = new Map(
  [
    ...entries(LITTLE),
    ...entries(COMPARATIVES),
    ...entries(NOUNS),
    ...entries(VERBS),
    ...entries(ADJECTIVES, ENDINGS),
    ...entries(COMPARATIVES, ENDINGS),
  ].toReversed(),
);
const WORDS: ReadonlyMap<string, string> = new Map([...SPELLINGS].map(([word, english]) => [plain(word), english]));
const LONGEST_PHRASE = 4;
const TOGETHER: ReadonlyMap<string, string> = new Map(Object.entries(PHRASES).map(([german, english]) => [plain(german), english]));

/** Every German word that has a counterpart, as it is spelt. */
export function germanWords(): Iterable<string> {
  return SPELLINGS.keys();
}

/** Whether more of the words are German than English; what both languages know says nothing. */
export function isGerman(words: readonly string[], english: ReadonlySet<string>): boolean {
  const isForeign = (word: string) => WORDS.has(plain(word)) && !english.has(word);
  const isEnglish = (word: string) => english.has(word) && !WORDS.has(plain(word));
  return words.filter(isForeign).length > words.filter(isEnglish).length;
}

/** The English words of a German instruction, in the order of an English one; a word without a counterpart stays. */
export function englishOf(words: readonly string[]): readonly string[] {
  return inEnglishOrder(translated(words)).split(/\s+/u).filter(Boolean);
}

function translated(words: readonly string[]): string {
  const parts: string[] = [];
  for (let i = 0; i < words.length;) {
    const [length, english] = phraseAt(words, i) ?? [1, WORDS.get(plain(words[i]!)) ?? words[i]!];
    parts.push(english);
    i += length;
  }
  return parts.filter((part) => part !== '').join(' ');
}

function phraseAt(words: readonly string[], start: number): readonly [number, string] | undefined {
  for (let length = LONGEST_PHRASE; length > 1; length--) {
    const english = start + length <= words.length ? TOGETHER.get(plain(words.slice(start, start + length).join(' '))) : undefined;
    if (english !== undefined) return [length, english];
  }
  return undefined;
}

const VERB = `(?:${Object.keys(VERBS).join('|')})`;
const POLITE = '((?:(?:please|can|could|you|i|want|now) )*)';
const ORDER: readonly (readonly [RegExp, string])[] = [
  [new RegExp(`^${POLITE}(?!${VERB} )(.+) (${VERB})$`, 'u'), '$1$3 $2'], // "the car blue make"
  [/^(.*?)\b(add|put|place|draw|insert) (on the (?:left|right|middle)) (.+)$/u, '$1$2 $4 $3'],
  [/^(.*?)\bmake (.+) (?:away|gone)$/u, '$1remove $2'],
  [/\bmake (.+) to (?=\S+$)/u, 'make $1 '],
  [/\blike (.+) look$/u, 'look like $1'],
  [/^(.*?)\b(turn|convert) (.+) in (?=\S+$)/u, '$1$2 $3 into '],
];

function inEnglishOrder(text: string): string {
  return ORDER.reduce((said, [pattern, order]) => said.replace(pattern, order), text);
}
