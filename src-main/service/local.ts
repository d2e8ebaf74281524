import { buffer } from 'node:stream/consumers';
import type { PictureInfo, Transport } from '#contract/api.js';
import type { LayersWish } from '#contract/layers.js';
import type { Project, ProjectInput } from '#contract/project.js';
import type { PictureId } from '#contract/request.js';
import type { Service } from './service.js';

/** A client's whole view of the service: the two functions of the contract, and pictures beside them. */
export interface Link extends Transport {
  upload(bytes: Uint8Array, name: string): Promise<PictureInfo>;
  download(id: PictureId): Promise<Uint8Array>;
  openProject(bytes: Uint8Array): Promise<Project>;
  saveProject(project: ProjectInput): Promise<Uint8Array>;
  saveLayers(layers: LayersWish): Promise<Uint8Array>;
}

/** The wire of no length: a service in this process. */
export function localLink(service: Service): Link {
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
