"""The built program, asked as the window asks it: over HTTP, so that one start serves every picture."""
import http.client
import io
import json
import subprocess
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

import numpy as np
from PIL import Image

#: The built command line, seen from this folder.
BUILT = Path(__file__).resolve().parents[2] / 'dist' / 'main' / 'cli.js'
#: A picture of 24 megapixels on a busy machine takes minutes, and no answer at all is a fault.
TIMEOUT_S = 1800


class ProductError(RuntimeError):
    """What the program refused, in its own words."""


def png(picture: np.ndarray, **options) -> bytes:
    """Bytes (H, W, C) as a file that the program gets."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, 'PNG', compress_level=1, **options)
    return file.getvalue()


class Product:
    """``with Product() as product:`` starts the program and stops it at the end."""

    def __init__(self, program: Path = BUILT):
        self._program = program

    def __enter__(self) -> 'Product':
        self._process = subprocess.Popen(['node', str(self._program), 'serve', '--json'], stdout=subprocess.PIPE)
        announced = json.loads(self._process.stdout.readline())
        self._port = announced['port']
        self._cookie = ''
        answer, _ = self._ask('GET', announced['url'].partition(str(announced['port']))[2])
        self._cookie = answer.getheader('set-cookie').partition(';')[0]
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.terminate()
        self._process.wait()

    def add(self, picture: bytes, name: str) -> str:
        """The id of a picture that the program now holds."""
        headers = {'content-type': 'application/octet-stream', 'x-picture-name': quote(name)}
        return json.loads(self._ask('POST', '/api/pictures', picture, headers)[1])['id']

    def close(self, picture: str) -> None:
        self._json('/api/call/picture.close', {'id': picture})

    def run(self, request: dict) -> tuple[np.ndarray, list[dict]]:
        """The first candidate as (H, W, 3) bytes, and every event of the run. Throws ProductError where it failed."""
        events = self._stream('edit.run', request)
        made = [event['candidate'] for event in events if event['type'] == 'candidate']
        picture = self._picture(made[0]['picture']).convert('RGB')
        for candidate in made:
            self.close(candidate['picture'])
        return np.array(picture), events

    def select(self, source: str, pointing: dict) -> np.ndarray:
        """The object of a held picture that a click or a box points at, as (H, W) booleans."""
        mask = next(event['mask']['id'] for event in self._stream('object.select', {'source': source, 'pointing': pointing})
                    if event['type'] == 'selected')
        selected = np.array(self._picture(mask).convert('L')) > 127
        self.close(mask)
        return selected

    def edit(self, source: bytes, request: dict, mask: bytes | None = None) -> tuple[np.ndarray, list[dict]]:
        """Adds the pictures, runs the request on them and lets them go."""
        held = {'source': self.add(source, 'source.png')}
        if mask is not None:
            held['mask'] = self.add(mask, 'mask.png')
        try:
            return self.run({**request, **held})
        finally:
            for picture in held.values():
                self.close(picture)

    def _stream(self, name: str, request: dict) -> list[dict]:
        events = [json.loads(line) for line in self._json(f'/api/stream/{name}', request).decode().splitlines()]
        failed = [event['error'] for event in events if event['type'] == 'failed']
        if failed:
            raise ProductError(failed[0]['message'])
        return events

    def _picture(self, picture: str) -> Image.Image:
        return Image.open(io.BytesIO(self._ask('GET', f'/api/pictures/{picture}')[1]))

    def _json(self, path: str, body: dict) -> bytes:
        return self._ask('POST', path, json.dumps(body).encode(), {'content-type': 'application/json'})[1]

    def _ask(self, method: str, path: str, body: bytes | None = None,
             headers: dict[str, str] | None = None) -> tuple[http.client.HTTPResponse, bytes]:
        # Each question has its own connection: the program drops one that rests while other fillers are at work.
        connection = http.client.HTTPConnection('127.0.0.1', self._port, timeout=TIMEOUT_S)
        connection.request(method, path, body, {**(headers or {}), 'cookie': self._cookie})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if answer.status >= 400:
            raise ProductError(f'{path}: {answer.status} {content[:500].decode(errors="replace")}')
        return answer, content
