import type { Words } from './en.js';

const hundredths = new Intl.NumberFormat('de', { minimumFractionDigits: 2, maximumFractionDigits: 2 });

export const checkpointWords: Words['checkpoint'] = {
  title: 'Ein veröffentlichtes Modell öffnen',
  help: 'Die Dateien, wie ihre Autoren sie veröffentlicht haben: der Transformer, sein Tokenizer und, für Modelle, die Sätze lesen, die Dateien seiner Text-Encoder mit deren tokenizer.json. Nichts darin wird ausgeführt.',
  files: 'Dateien auf diesem Computer, ein Pfad je Zeile',
  choose: 'Dateien wählen…',
  control: 'Es hält',
  name: 'Name des Modells',
  task: 'Trainiert zum',
  tasks: { edit: 'Bearbeiten (VAREdit)', generate: 'Zeichnen nach Worten (Infinity)' },
  pixels: 'Bei',
  precision: 'Genauigkeit',
  disk: 'Auf der Platte',
  inPlace: 'Gewichte lassen, wo sie sind, ohne Kopie, wo ihre Genauigkeit bleibt',
  memory: 'Im Speicher',
  time: 'Ein Bild, etwa',
  rounding: 'Rundung',
  roundingHelp: 'Rundung: um wie viel sich die Ausgaben seiner Schichten ändern (quadratisches Mittel), an einigen gemessen.',
  share: (share) => `${hundredths.format(100 * share)} %`,
  offered: (integers) => `int8 passt zu diesem Rechner, der 8-Bit-Zahlen mit ${integers} multipliziert.`,
  integers: (found) => {
    if (found === 'unknown') return 'Ob dieser Rechner Befehle für 8-Bit-Zahlen hat, ist nicht bekannt.';
    if (found === 'none') return 'Dieser Rechner hat keine Befehle für 8-Bit-Zahlen: int8 ist hier vielleicht nicht schneller.';
    return `Dieser Rechner multipliziert 8-Bit-Zahlen mit ${found}.`;
  },
  licence: (licence: string) => `Lizenz: ${licence}. Mit dem Import stimmen Sie ihr zu.`,
  import: 'Importieren',
};
