/** What a file is, by its first bytes: refuses what no picture begins with before the rest of it is here. */
export { fileKind as expectPictureKind } from '#engine/image/files/file-kind.js';
