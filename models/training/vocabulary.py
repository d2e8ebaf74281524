"""The closed vocabulary of the word encoder and the instruction templates of photometric edits.

The order of ``VOCABULARY`` is part of the weights (row i of the embedding table is word i), so words may only be
added by training a new model.
"""
import re

COLOURS = {
    'red': (.85, .14, .12), 'orange': (.96, .52, .10), 'yellow': (.96, .86, .18), 'green': (.16, .62, .24),
    'blue': (.16, .32, .86), 'purple': (.55, .22, .74), 'pink': (.97, .55, .76), 'white': (.95, .95, .95),
    'black': (.10, .10, .11), 'cyan': (.18, .80, .86),
}
KINDS = ['ball', 'box', 'pyramid', 'star', 'ring', 'heart', 'diamond', 'house', 'tree', 'car']
GROUNDS = {
    'grass': (.32, .58, .24), 'sand': (.86, .75, .50), 'snow': (.93, .95, .98), 'road': (.40, .40, .43),
    'water': (.18, .42, .62),
}
TIMES = ['day', 'sunset', 'night']

PHOTOMETRIC_TEXTS = {
    'warmer': ['make it warmer', 'warmer colors', 'make the photo warmer'],
    'cooler': ['make it cooler', 'cooler colors', 'make the photo cooler'],
    'bw': ['make it black and white', 'turn the photo black and white', 'remove the color'],
    'sepia': ['apply a sepia tone', 'make it sepia', 'old sepia photo'],
    'brighter': ['make it brighter', 'brighten the photo'],
    'darker': ['make it darker', 'darken the photo'],
    'contrast': ['more contrast', 'increase the contrast'],
    'saturate': ['more saturated colors', 'make the colors vivid'],
    'blurbg': ['blur the background', 'make the background blurry'],
    'blur': ['blur the photo', 'make it blurry'],
    'invert': ['invert the colors', 'make it a negative'],
    'fog': ['add fog', 'make it foggy'],
}
TIME_TEXTS = {
    'night': ['make it night', 'turn it into night', 'change the time to night', 'night scene'],
    'day': ['make it day', 'make it daytime', 'change the time to day', 'make it sunny'],
    'sunset': ['make it sunset', 'change the time to sunset', 'make it evening', 'sunset scene'],
}
FILL_TEXTS = ['fill', 'fill the empty area', 'fill in the empty area', 'extend the picture']
KEEP_TEXTS = ['keep it the same', 'do nothing', 'keep the picture unchanged']

_OTHER_WORDS = '''a an and the of to on in at with make turn paint change color colour into it is delete remove erase
get rid take away add put place insert draw replace swap for big bigger larger small smaller grow shrink move shift left
right middle center side ground floor background sky time night day daytime sunset dusk evening dark sunny snow snowy
sandy desert beach grassy watery lake sea road street asphalt fill empty area extend picture image photo keep unchanged
same nothing do not there foggy sunrise one bright scene showing'''.split()

PADDING, UNKNOWN = 0, 1
MAX_WORDS = 16


def split_words(text: str) -> list[str]:
    """Lower-case runs of letters and digits."""
    return re.findall(r'[a-z0-9]+', text.lower())


def _all_words() -> list[str]:
    photometric = [word for texts in PHOTOMETRIC_TEXTS.values() for text in texts for word in split_words(text)]
    return sorted({*_OTHER_WORDS, *COLOURS, *KINDS, *GROUNDS, *TIMES, *photometric})


VOCABULARY = ['<pad>', '<unk>', *_all_words()]
_INDEX = {word: i for i, word in enumerate(VOCABULARY)}


def word_ids(text: str) -> list[int]:
    """``MAX_WORDS`` indices: unknown words become ``UNKNOWN``, the rest is padding, overlong text is cut."""
    ids = [_INDEX.get(word, UNKNOWN) for word in split_words(text)][:MAX_WORDS]
    return ids + [PADDING] * (MAX_WORDS - len(ids))
