import type { FastifyReply } from 'fastify';
import { PAGE_HEADERS } from '#contract/page-headers.js';

export function protect(reply: FastifyReply): void {
  reply.headers(PAGE_HEADERS);
}

const CONTENT_TYPES = { png: 'image/png', jpeg: 'image/jpeg', webp: 'image/webp', tiff: 'image/tiff', avif: 'image/avif' } as const;

export function contentTypeOf(format: keyof typeof CONTENT_TYPES): string {
  return CONTENT_TYPES[format];
}

/** RFC 6266: a plain name for old readers, the true one in UTF-8. */
export function dispositionOf(name: string): string {
  const plain = name.replace(/[^\w .()-]/gu, '_');
  const encoded = encodeURIComponent(name).replace(/['()*]/gu, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);
  return `inline; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
