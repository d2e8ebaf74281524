/** A reader that has seen enough (`| head`), or is gone, is no failure of whoever writes. Every program of ours begins with this. */
export function tolerateClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}
