/** What the running agent answers to `picket-agent mute` and `unmute`. */
import type { Instant } from '../../shared/clock.ts';
import { readMuteRequest, readUnmute } from '../../shared/mute.ts';
import type { JsonObject } from '../../shared/trust/strict.ts';
import type { MuteStage } from '../mutes.ts';

/** Undefined where something else was asked. Throws `payload.invalid`, `usage.invalid`. */
export function answerMutes(mutes: MuteStage, request: JsonObject, at: Instant): unknown {
  if (request.do === 'mute') {
    mutes.mute(readMuteRequest(request, 'request'), at);
    return { mutes: mutes.list() };
  }
  if (request.do !== 'unmute') return undefined;
  return { ended: mutes.unmute(readUnmute(request, 'request'), at), mutes: mutes.list() };
}
