import { contextBridge, ipcRenderer, webUtils } from 'electron';
import { CHANNELS, PAGE_CHANNELS, type Desktop } from '#contract/desktop.js';

/** Runs sandboxed, in a world of its own. Listeners get the value alone: an event would carry `ipcRenderer` along. */
const desktop: Desktop = {
  onCommand: (listener) => {
    ipcRenderer.on(CHANNELS.command, (_event, command: Parameters<typeof listener>[0]) => {
      listener(command);
    });
  },
  onFile: (listener) => {
    ipcRenderer.on(CHANNELS.file, (_event, file: Parameters<typeof listener>[0]) => {
      listener(file);
    });
  },
  onSaved: (listener) => {
    ipcRenderer.on(CHANNELS.saved, (_event, name: string | undefined) => {
      listener(name);
    });
  },
  showSaved: () => {
    ipcRenderer.send(PAGE_CHANNELS.showSaved, 'last');
  },
  saveAsLast: () => {
    ipcRenderer.send(PAGE_CHANNELS.saveAsLast, 'next');
  },
  pathOf: (file) => webUtils.getPathForFile(file as File),
  dragOut: (picture) => {
    ipcRenderer.send(PAGE_CHANNELS.dragOut, picture);
  },
  language: (tag) => {
    ipcRenderer.send(PAGE_CHANNELS.language, tag);
  },
};

contextBridge.exposeInMainWorld('scalebrushDesktop', desktop);
