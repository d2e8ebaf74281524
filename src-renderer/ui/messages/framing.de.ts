import type { FramingWords } from './framing.en.js';

const tenths = new Intl.NumberFormat('de', { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** The words of cutting pictures, of combining masks and of what is saved, in German. */
export const framingWords: FramingWords = {
  crop: {
    title: 'Zuschneiden, begradigen, drehen',
    word: 'Schneiden',
    step: 'Zuschnitt',
    area: 'Was bleibt',
    areaHelp:
      'Pfeiltasten verschieben es, mit Umschalt seine rechte untere Ecke. Enter schneidet zu, Escape lässt es. Außerhalb ziehen begradigt.',
    shape: 'Seitenverhältnis',
    free: 'Frei',
    original: 'Wie es ist',
    turn: 'Um ein Viertel drehen',
    mirror: 'Links und rechts spiegeln',
    straighten: 'Begradigen',
    degrees: (degrees: number) => `${tenths.format(degrees)}°`,
    reset: 'Zurücksetzen',
    apply: 'Zuschneiden',
  },
  exporting: {
    title: 'Größe, Schärfe, Farben',
    size: 'Längere Seite',
    whole: 'Wie sie ist',
    px: (px: number) => `${px} px`,
    sharpen: 'Schärfen',
    sharpenings: { none: 'Nein', screen: 'Für Bildschirme', print: 'Für den Druck' },
    profile: 'Farben',
    profiles: { keep: 'Wie sie sind', srgb: 'sRGB (Web)', p3: 'Display P3' },
  },
  combine: {
    title: 'Was gezeichnet wird',
    add: 'Hinzufügen',
    subtract: 'Abziehen',
    intersect: 'Schnittmenge',
    with: (how: string, mask: string) => `${how}: ${mask}`,
  },
};
