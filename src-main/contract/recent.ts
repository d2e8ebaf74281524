import * as v from 'valibot';
import { JournalOwner, Project } from './project.js';

const shortText = v.pipe(v.string(), v.maxLength(255));
const whole = v.pipe(v.number(), v.integer(), v.minValue(0));
/** A small picture as an address; nothing but pictures is shown from it. */
const thumbnail = v.pipe(v.string(), v.maxLength(256 * 1024), v.regex(/^(?:data:image\/(?:png|jpeg|webp);base64,[A-Za-z0-9+/=]*)?$/u));

export const RecentId = JournalOwner;

/** What is said of a document that was closed; `waiting` = how many runs wait for it. */
const Described = { name: shortText, steps: whole, width: whole, height: whole, thumbnail, waiting: v.optional(whole) } as const;

export const RecentDocument = v.object({ id: RecentId, closedMs: v.number(), ...Described });
export type RecentDocument = v.InferOutput<typeof RecentDocument>;

/** A document that is closed; one that was opened from the list takes its own place there. */
export const RecentKeep = v.object({ ...Described, id: v.optional(RecentId), project: Project });
export type RecentKeepInput = v.InferInput<typeof RecentKeep>;
