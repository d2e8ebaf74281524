import type { BatchWords } from './batch.en.js';

/** The words of many pictures at once, in German. */
export const batchWords: BatchWords = {
  many: {
    title: (files: number) => `${files} Bilder`,
    help: 'Jedes als eigenes Dokument öffnen oder allen denselben Wunsch geben.',
    open: 'Jedes öffnen',
    batch: 'Dasselbe für alle…',
    now: (verb: string, instruction: string) => `Alle jetzt ${verb.toLowerCase()}${instruction.trim() === '' ? '' : `: „${instruction}“`}`,
  },
  batch: {
    title: 'Viele Bilder auf einmal',
    help: (verb: string, instruction: string, preset: string) =>
      `Jedes Bild bekommt, was die Felder jetzt sagen: ${verb}${instruction.trim() === '' ? '' : ` „${instruction}“`}, ${preset}. Ergebnisse behalten das Format ihrer Vorlage.`,
    holds: 'Jedes Bild auf die gemalte Maske beschränken',
    masked: 'Die Maske wird auf jedes Bild ihrer Form skaliert; Bilder anderer Form werden abgelehnt.',
    unmasked: 'Ohne Maske.',
    takingIn: (index: number, of: number) => `Bild ${index} von ${of} wird übernommen`,
    cutOff: (done: number, refused: number, waiting: number) =>
      `Das Fenster wurde neu geladen: ${done} fertig, ${refused} abgelehnt, ${waiting} offen. Weiter drücken.`,
    chooseFiles: 'Bilder wählen…',
    chooseFolder: 'Ordner wählen…',
    target: 'In einen Ordner…',
    targetIs: (folder: string, written: number) =>
      `Ergebnisse gehen nach „${folder}“; ${written} geschrieben. Nichts dort wird überschrieben.`,
    noTarget: 'Ergebnisse lassen sich unten speichern.',
    notWritten: (why: string) => `In den Ordner lässt sich nicht schreiben: ${why}`,
    files: 'Bilder',
    none: 'Noch keine Bilder.',
    states: { waiting: 'wartet', running: 'in Arbeit…', done: 'fertig', kept: 'war schon fertig', refused: 'abgelehnt' },
    at: (index: number, of: number) => `Bild ${index} von ${of}`,
    pausing: 'Einen Moment: Das Bild in Arbeit wird noch fertig.',
    summary: (done: number, refused: number, waiting: number) => `${done} fertig, ${refused} abgelehnt, ${waiting} offen.`,
    start: 'Starten',
    pause: 'Pause',
    resume: 'Weiter',
    report: 'Bericht',
    saveAll: 'Alle als Zip speichern',
    saveOne: (name: string) => `${name} speichern`,
    where: 'Erledigt von',
    here: 'diesem Rechner',
    farm: (address: string) => `der Farm ${address}`,
    noFarm: (why: string) => `Die Farm ist nicht zu gebrauchen: ${why}`,
    detailScale: (scale: number, of: number) => `Detail ${scale} von ${of}`,
    onFarm: (done: number, refused: number, waiting: number) =>
      `Auf der Farm: ${done} fertig, ${refused} abgelehnt, ${waiting} noch zu tun.`,
    leave: 'Der Farm überlassen',
    hide: 'Weiterarbeiten',
    look: 'Die Bilder des Stapels ansehen',
    chip: (settled: number, of: number) => `${settled} von ${of} Bildern`,
    retry: 'Abgelehnte erneut versuchen',
  },
};
