import { existsSync } from 'node:fs';
import { listProviders } from '#engine/runtime/providers.js';

/** Chromium's software Vulkan: slow, but a true WebGPU device on a machine without a GPU. */
const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** Whether there is a WebGPU device here, be it in software. To be asked before ONNX Runtime looks for one. */
export async function webGpuWorks(): Promise<boolean> {
  if (existsSync(SWIFTSHADER)) process.env['VK_ICD_FILENAMES'] ??= SWIFTSHADER;
  return (await listProviders()).some(({ name, available }) => name === 'webgpu' && available);
}
