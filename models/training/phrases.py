"""How people ask for an edit: the phrasings of training, and others held out to measure robustness to paraphrase.

Slots: {name} an object as it is called, {colour}, {what} a coloured object, {place}, {ground}. Held-out phrasings use
words that training knows, in sentences that it never draws.
"""
from dice import Dice

#: Around any phrasing; the empty ones are drawn half of the time.
OPENINGS = ['please', 'can you', 'could you', 'could you please', 'i want you to', 'now']
CLOSINGS = ['please', 'for me', 'in this picture', 'in the photo']

TRAINED = {
    'recolor': ['make the {name} {colour}', 'turn the {name} {colour}', 'paint the {name} {colour}',
                'change the color of the {name} to {colour}', 'change the {name} to {colour}', 'make {name} {colour}',
                'color the {name} {colour}', 'recolor the {name} to {colour}', 'dye the {name} {colour}',
                'give the {name} a {colour} color', 'set the {name} color to {colour}', 'i want a {colour} {name}',
                'the {name} should be {colour}'],
    'remove': ['remove the {name}', 'delete the {name}', 'erase the {name}', 'get rid of the {name}', 'take away the {name}',
               'remove {name}', 'take the {name} away', 'take out the {name}', 'hide the {name}', 'wipe out the {name}',
               'make the {name} disappear', 'i want no {name}', 'the {name} should be gone'],
    'add': ['add a {what} on the {place}', 'put a {what} on the {place}', 'place a {what} in the {place}',
            'add a {what} to the {place}', 'draw a {what} on the {place}', 'insert a {what} on the {place}',
            'i want a {what} on the {place}', 'there should be a {what} on the {place}', 'on the {place} add a {what}'],
    'ground': ['change the ground to {ground}', 'make the ground {ground}', 'replace the ground with {ground}',
               'turn the ground into {ground}', 'make the floor {ground}', 'turn the floor to {ground}', 'i want {ground} on the ground',
               'the ground should be {ground}', 'cover the ground with {ground}'],
    'warmer': ['make it warmer', 'warmer colors', 'make the photo warmer', 'use warm tones', 'warm up the photo', 'a warm look'],
    'cooler': ['make it cooler', 'cooler colors', 'make the photo cooler', 'use cool tones', 'cool down the photo', 'make it colder', 'a cold look'],
    'bw': ['make it black and white', 'turn the photo black and white', 'remove the color', 'black and white', 'make it monochrome',
           'convert to grayscale', 'make it gray', 'desaturate the photo'],
    'sepia': ['apply a sepia tone', 'make it sepia', 'old sepia photo', 'make it look old', 'vintage look', 'sepia'],
    'brighter': ['make it brighter', 'brighten the photo', 'lighten the photo', 'make it lighter', 'more light', 'brighter'],
    'darker': ['make it darker', 'darken the photo', 'dim the photo', 'make it dimmer', 'less light', 'darker'],
    'contrast': ['more contrast', 'increase the contrast', 'boost the contrast', 'make it more contrasty', 'add contrast'],
    'saturate': ['more saturated colors', 'make the colors vivid', 'more vibrant colors', 'make it colorful', 'increase the saturation',
                 'boost the colors'],
    'blurbg': ['blur the background', 'make the background blurry', 'soften the background', 'defocus the background'],
    'blur': ['blur the photo', 'make it blurry', 'soften the photo', 'make it soft', 'blur it'],
    'invert': ['invert the colors', 'make it a negative', 'negative colors', 'invert the photo'],
    'fog': ['add fog', 'make it foggy', 'add mist', 'make it misty', 'add some haze', 'make it hazy'],
    'night': ['make it night', 'turn it into night', 'change the time to night', 'night scene', 'make it look like night', 'at night',
              'make it nighttime', 'make it dark outside', 'turn day into night'],
    'day': ['make it day', 'make it daytime', 'change the time to day', 'make it sunny', 'make it look like day', 'daylight', 'make it noon',
            'at day'],
    'sunset': ['make it sunset', 'change the time to sunset', 'make it evening', 'sunset scene', 'make it look like sunset', 'at sunset',
               'make it dusk', 'turn it into an evening', 'make it sundown'],
    'fill': ['fill', 'fill the empty area', 'fill in the empty area', 'extend the picture', 'fill the hole', 'fill in', 'expand the picture'],
    'keep': ['keep it the same', 'do nothing', 'keep the picture unchanged', 'change nothing', 'leave it as it is'],
}

HELD_OUT = {
    'recolor': ['turn the color of the {name} to {colour}', 'i want the {name} to be {colour}', 'make the {name} look {colour}',
                'paint {name} in {colour}'],
    'remove': ['i want the {name} gone', 'erase {name} away', 'the {name} should disappear', 'get the {name} out'],
    'add': ['put a {what} in the {place}', 'i want you to add a {what} at the {place}', 'place a {what} there on the {place}',
            'make a {what} on the {place}'],
    'ground': ['i want the floor to be {ground}', 'change the floor into {ground}', 'make it {ground} on the ground',
               'use {ground} for the ground'],
    'night': ['i want it to be night', 'make the photo look like night', 'night'],
    'day': ['i want it to be day', 'make the photo look like day', 'day'],
    'sunset': ['i want it to be sunset', 'make the photo look like evening', 'sunset'],
    'warmer': ['i want warm colors', 'warm tones'], 'cooler': ['i want cool colors', 'cool tones'],
    'bw': ['turn it into black and white', 'gray colors', 'i want no color'], 'sepia': ['turn it into sepia', 'i want a sepia look'],
    'brighter': ['the photo should be brighter', 'lighten it'], 'darker': ['the photo should be darker', 'darken it'],
    'contrast': ['i want more contrast', 'give it more contrast'], 'saturate': ['i want vivid colors', 'give it vibrant colors'],
    'blurbg': ['the background should be blurry', 'make the background soft'], 'blur': ['the photo should be blurry', 'soften it'],
    'invert': ['make the colors negative', 'invert it'], 'fog': ['i want fog', 'make the photo foggy'],
}


def phrase(dice: Dice, kind: str, slots: dict[str, str] | None = None, held_out: bool = False) -> str:
    """One sentence that asks for ``kind``; a held-out one comes without opening and closing."""
    text = dice.choice((HELD_OUT if held_out else TRAINED)[kind]).format(**(slots or {}))
    if held_out or dice.chance(.6):
        return text
    opening = dice.choice(OPENINGS) if dice.chance(.6) else ''
    closing = dice.choice(CLOSINGS) if not opening or dice.chance(.25) else ''
    return ' '.join(part for part in (opening, text, closing) if part)
