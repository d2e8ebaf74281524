/** The words of cutting pictures, of combining masks and of what is saved, in English. */
export const framingWords = {
  crop: {
    title: 'Crop, straighten, turn',
    word: 'Crop',
    step: 'Crop',
    area: 'What is kept',
    areaHelp: 'Arrow keys move it, with Shift its lower right corner. Enter crops, Escape leaves it. Drag outside to straighten.',
    shape: 'Aspect',
    free: 'Free',
    original: 'As it is',
    turn: 'Turn by a quarter',
    mirror: 'Flip left and right',
    straighten: 'Straighten',
    degrees: (degrees: number) => `${degrees.toFixed(1)}°`,
    reset: 'Reset',
    apply: 'Crop',
  },
  exporting: {
    title: 'Size, sharpening, colours',
    size: 'Longer side',
    whole: 'As it is',
    px: (px: number) => `${px} px`,
    sharpen: 'Sharpen',
    sharpenings: { none: 'No', screen: 'For screens', print: 'For print' },
    profile: 'Colours',
    profiles: { keep: 'As they are', srgb: 'sRGB (web)', p3: 'Display P3' },
  },
  combine: {
    title: 'What is drawn',
    add: 'Add',
    subtract: 'Subtract',
    intersect: 'Intersect',
    with: (how: string, mask: string) => `${how}: ${mask}`,
  },
};

export type FramingWords = typeof framingWords;
