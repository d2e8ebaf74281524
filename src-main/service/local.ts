import { buffer } from 'node:stream/consumers';
import type { Link } from '#contract/api.js';
import type { Service } from './service.js';

/** The wire of no length: a service in this process. */
export function localLink(service: Service): Link<Uint8Array> {
  return {
    call: (name, input) => service.call(name, input),
    stream: (name, input, signal) => service.stream(name, input, signal),
    openProject: (bytes) => service.openProject({ body: [bytes] }),
    saveProject: async (project) => new Uint8Array(await buffer((await service.saveProject(project)).body)),
    saveLayers: (layers) => service.saveLayers(layers),
    upload: (bytes, name) => service.pictures.add(bytes, name),
    download: async (id) => (await service.pictures.get(id)).bytes,
  };
}
