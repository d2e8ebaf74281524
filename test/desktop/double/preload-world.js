// The isolated world: a sandboxed preload script with `ipcRenderer`, `contextBridge` and `webUtils`, and nothing else.
(() => {
  const listeners = new Map();
  let exposed = {};
  const send = (kind, detail) => document.dispatchEvent(new CustomEvent(`SECRET${kind}`, { detail }));
  const real = (value) => (value?.callback === undefined ? value : (...values) => send('callback', { callback: value.callback, values }));
  document.addEventListener('SECRETcall', ({ detail: { name, values } }) => {
    try {
      send('answer', { value: exposed[name](...values.map(real)) });
    } catch (error) {
      send('answer', { error: String(error.message ?? error) });
    }
  });
  const toMain = globalThis.__toMain;
  delete globalThis.__toMain;
  globalThis.__deliver = ({ channel, values }) => {
    for (const listener of listeners.get(channel) ?? []) listener({}, ...values);
  };
  const electron = {
    ipcRenderer: {
      on: (channel, listener) => listeners.set(channel, [...(listeners.get(channel) ?? []), listener]),
      send: (channel, ...values) => toMain(JSON.stringify({ channel, values })),
    },
    webUtils: { getPathForFile: () => '' },
    contextBridge: {
      exposeInMainWorld: (key, api) => {
        exposed = api;
        send('expose', { key, names: Object.keys(api) });
      },
    },
  };
  const require = (name) => {
    if (name === 'electron') return electron;
    throw new Error(`module not found: ${name}`);
  };
  ((require, process) => {
    PRELOAD;
  })(require, { type: 'renderer', sandboxed: true });
})();
