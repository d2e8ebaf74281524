"""What transfer.py makes of the pictures in a recipe, for the engine's test of the same arithmetic.

python3 make_transfer_fixture.py ../../test/fixtures/transfer/recipe.json

Pictures are planar bytes in base64; ``result`` and ``share`` (of decoded pixels) are written anew.
"""
import argparse
import base64
import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from transfer import transfer


def _picture(text: str) -> Tensor:
    values = np.frombuffer(base64.b64decode(text), np.uint8).astype(np.float32) / 255
    side = round((len(values) / 3) ** .5)
    return torch.from_numpy(values).view(1, 3, side, side)


def _bytes(values: Tensor) -> str:
    return base64.b64encode((values * 255).round().to(torch.uint8).numpy().tobytes()).decode()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('recipe', type=Path)
    path = parser.parse_args().recipe
    recipe = json.loads(path.read_text())
    for case in [*recipe['cases'], recipe['twice']]:
        made = transfer(*(_picture(case[name]) for name in ('source', 'before', 'after')))
        case['result'], case['share'] = _bytes(made.picture), _bytes(made.decoded)
    path.write_text(json.dumps(recipe))


if __name__ == '__main__':
    main()
