// The page's own world: builds what the preload script exposes, and knows nothing of Electron.
(() => {
  const callbacks = new Map();
  let count = 0;
  const send = (kind, detail) => document.dispatchEvent(new CustomEvent(`SECRET${kind}`, { detail }));
  const lent = (value) => {
    if (typeof value !== 'function') return value;
    count += 1;
    callbacks.set(count, value);
    return { callback: count };
  };
  const borrowed =
    (name) =>
    (...values) => {
      let answer;
      const take = ({ detail }) => (answer = detail);
      document.addEventListener('SECRETanswer', take, { once: true });
      send('call', { name, values: values.map(lent) });
      document.removeEventListener('SECRETanswer', take);
      if (answer?.error !== undefined) throw new Error(answer.error);
      return answer?.value;
    };
  document.addEventListener('SECRETexpose', ({ detail: { key, names } }) => {
    const value = Object.freeze(Object.fromEntries(names.map((name) => [name, borrowed(name)])));
    Object.defineProperty(window, key, { value, writable: false });
  });
  document.addEventListener('SECRETcallback', ({ detail: { callback, values } }) => callbacks.get(callback)?.(...values));
})();
