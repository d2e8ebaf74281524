"""A lying photo as VAREdit's published code shows it to its model, made by Pillow: python3 padded.py FOLDER"""
import sys
from pathlib import Path

import numpy as np
from PIL import Image

folder = Path(sys.argv[1]) / 'padded'
folder.mkdir(parents=True, exist_ok=True)
y, x = np.mgrid[0:46, 0:70]
noise = np.random.default_rng(3).integers(0, 90, (46, 70, 3))
photo = Image.fromarray((np.stack([x * 2, y * 3, 160 - x - y], -1) + noise).clip(0, 255).astype(np.uint8))
photo.save(folder / 'photo.png')
square = Image.new('RGB', (70, 70), 'white')
square.paste(photo, (0, 0))
for side in 32, 112:
    square.resize((side, side), Image.Resampling.LANCZOS).save(folder / f'seen-{side}.png')
