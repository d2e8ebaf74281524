/** The words of many pictures at once, in English. */
export const batchWords = {
  many: {
    title: (files: number) => `${files} pictures`,
    help: 'Open each as a document of its own, or give all of them the same wish.',
    open: 'Open each',
    batch: 'The same for all…',
  },
  batch: {
    title: 'Many pictures at once',
    help: (verb: string, instruction: string, preset: string) =>
      `Each picture gets what the panels say now: ${verb}${instruction.trim() === '' ? '' : ` “${instruction}”`}, ${preset}. Results keep the format of their source.`,
    holds: 'Hold each picture to the painted mask',
    masked: 'The mask is scaled to each picture of its shape; pictures of another shape are refused.',
    unmasked: 'No mask is used.',
    takingIn: (index: number, of: number) => `Taking in picture ${index} of ${of}`,
    cutOff: (done: number, refused: number, waiting: number) =>
      `The window was loaded anew: ${done} done, ${refused} refused, ${waiting} to do. Press Go on.`,
    chooseFiles: 'Choose pictures…',
    chooseFolder: 'Choose a folder…',
    files: 'Pictures',
    none: 'No pictures yet.',
    states: { waiting: 'waits', running: 'at work…', done: 'done', kept: 'was done before', refused: 'refused' },
    at: (index: number, of: number) => `Picture ${index} of ${of}`,
    pausing: 'One moment: the picture at work is finished first.',
    summary: (done: number, refused: number, waiting: number) => `${done} done, ${refused} refused, ${waiting} to do.`,
    start: 'Start',
    pause: 'Pause',
    resume: 'Go on',
    report: 'Report',
    saveAll: 'Save all as a zip',
    saveOne: (name: string) => `Save ${name}`,
    where: 'Done by',
    here: 'this computer',
    farm: (address: string) => `the farm ${address}`,
    noFarm: (why: string) => `The farm cannot be used: ${why}`,
    detailScale: (scale: number, of: number) => `Detail ${scale} of ${of}`,
    onFarm: (done: number, refused: number, waiting: number) => `On the farm: ${done} done, ${refused} refused, ${waiting} to do.`,
    leave: 'Leave it to the farm',
    hide: 'Go on working',
    look: 'Look at the pictures of the batch',
    chip: (settled: number, of: number) => `${settled} of ${of} pictures`,
    retry: 'Try the refused again',
  },
};

export type BatchWords = typeof batchWords;
