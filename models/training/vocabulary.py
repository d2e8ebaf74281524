"""The closed vocabulary of the word encoder, and what the scenes are made of.

The order of ``VOCABULARY`` is part of the weights: row i of the embedding table is word i.
"""
import functools
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

#: The operators of photometric instructions; their wording stands in phrases.py.
PHOTOMETRIC = ['warmer', 'cooler', 'bw', 'sepia', 'brighter', 'darker', 'contrast', 'saturate', 'blurbg', 'blur', 'invert', 'fog']

#: Row i + 2 of the embedding is word i: words may only be added at the end.
_FIRST_WORDS = '''a add an and apply area asphalt at away background ball beach big bigger black blue blur blurry box bright brighten
brighter car center change color colors colour contrast cooler cyan dark darken darker day daytime delete desert
diamond do draw dusk empty erase evening extend fill floor fog foggy for get grass grassy green ground grow heart
house image in increase insert into invert is it keep lake larger left make middle more move negative night not
nothing of old on one orange paint photo picture pink place purple put pyramid red remove replace rid right ring road
same sand sandy saturated scene sea sepia shift showing shrink side sky small smaller snow snowy star street sunny
sunrise sunset swap take the there time to tone tree turn unchanged vivid warmer water watery white with yellow'''.split()

#: Words that later training added, with the known word whose row they started from (none: a new row).
ADDED_WORDS = {
    **dict.fromkeys('sphere globe'.split(), 'ball'), **dict.fromkeys('cube crate'.split(), 'box'), 'triangle': 'pyramid', 'hoop': 'ring',
    **dict.fromkeys('home building cottage'.split(), 'house'), 'pine': 'tree', **dict.fromkeys('automobile vehicle'.split(), 'car'),
    'crimson': 'red', 'golden': 'yellow', 'violet': 'purple', 'magenta': 'pink', 'turquoise': 'cyan',
    **dict.fromkeys('lawn meadow'.split(), 'grass'), 'dunes': 'sand', **dict.fromkeys('ice winter'.split(), 'snow'),
    **dict.fromkeys('pavement tarmac'.split(), 'road'), **dict.fromkeys('ocean river'.split(), 'water'),
    **dict.fromkeys('nighttime midnight'.split(), 'night'), **dict.fromkeys('noon daylight morning'.split(), 'day'),
    **dict.fromkeys('sundown twilight'.split(), 'sunset'), 'recolor': 'paint', 'dye': 'paint', 'hide': 'remove', 'wipe': 'erase',
    'disappear': 'remove', 'gone': 'remove', 'cover': 'replace', 'convert': 'turn', 'hole': 'empty', 'expand': 'extend', 'leave': 'keep',
    'warm': 'warmer', 'cool': 'cooler', 'cold': 'cooler', 'colder': 'cooler', 'monochrome': 'white', 'grayscale': 'white', 'gray': 'white',
    'grey': 'white', 'desaturate': 'white', 'vintage': 'sepia', 'lighten': 'brighten', 'lighter': 'brighter', 'light': 'brighter',
    'less': 'darken', 'dim': 'darken', 'dimmer': 'darker', 'boost': 'increase', 'contrasty': 'contrast', 'vibrant': 'vivid', 'colorful': 'vivid',
    'saturation': 'saturated', 'soften': 'blur', 'soft': 'blurry', 'defocus': 'blur', 'mist': 'fog', 'misty': 'foggy', 'haze': 'fog',
    'hazy': 'foggy', 'tones': 'colors', 'look': None, 'looks': None, 'like': None, 'please': None, 'can': None, 'could': None, 'would': None,
    'you': None, 'i': None, 'want': None, 'me': None, 'this': None, 'that': None, 'now': None, 'should': None, 'be': None, 'no': None,
    'out': None, 'up': None, 'down': None, 'go': None, 'give': None, 'set': None, 'use': None, 'some': None, 'as': None, 'outside': None,
    'my': None, 'everything': None, 'whole': None, 'real': None, 'very': None, 'much': None,
    # Which of two, and things that are set onto photographs.
    'leftmost': 'left', 'rightmost': 'right', 'first': None, 'second': None, 'third': None, 'last': None, 'from': None, 'other': None,
    **dict.fromkeys('flower blossom toy shoe sneaker boot dog bear duck robot backpack bag candle'.split()),
}
#: What cut-out things are called beside their names.
CUTOUT_SYNONYMS = {'flower': ['blossom'], 'shoe': ['sneaker'], 'backpack': ['bag'], 'bear': ['toy'], 'duck': ['toy'], 'robot': ['toy']}

#: Began from the row of "white", but are no white: no object is asked to be "grayscale".
NOT_WHITE = {'monochrome', 'grayscale', 'gray', 'grey', 'desaturate'}


def synonyms(word: str) -> list[str]:
    """The word itself and those that mean it."""
    others = (other for other, known in ADDED_WORDS.items() if known == word and other not in NOT_WHITE)
    return [word, *others, *CUTOUT_SYNONYMS.get(word, [])]


PADDING, UNKNOWN = 0, 1
MAX_WORDS = 16


def split_words(text: str) -> list[str]:
    """Lower-case runs of letters and digits."""
    return re.findall(r'[a-z0-9]+', text.lower())


VOCABULARY = ['<pad>', '<unk>', *_FIRST_WORDS, *ADDED_WORDS]

def word_ids(text: str, vocabulary: list[str] = VOCABULARY) -> list[int]:
    """``MAX_WORDS`` indices: unknown words become ``UNKNOWN``, the rest is padding, overlong text is cut."""
    index = _index(tuple(vocabulary))
    ids = [index.get(word, UNKNOWN) for word in split_words(text)][:MAX_WORDS]
    return ids + [PADDING] * (MAX_WORDS - len(ids))


@functools.cache
def _index(vocabulary: tuple[str, ...]) -> dict[str, int]:
    return {word: i for i, word in enumerate(vocabulary)}
