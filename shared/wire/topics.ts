/**
 * The topics of the channel. An agent's credentials let it write below its own `up/` and read its own `down/`, and no
 * more; there is no topic that two agents share.
 */
import { ID_PATTERN } from '../limits.ts';

export const defaultPrefix = 'picket/1';

export const upChannels = ['records', 'presence', 'reported', 'get', 'live'] as const;
export const downChannels = ['ack', 'desired', 'command', 'chunk'] as const;
export type UpChannel = (typeof upChannels)[number];
export type DownChannel = (typeof downChannels)[number];

export function upTopic(prefix: string, agent: string, channel: UpChannel): string {
  return `${prefix}/a/${agent}/up/${channel}`;
}

export function downTopic(prefix: string, agent: string, channel: DownChannel): string {
  return `${prefix}/a/${agent}/down/${channel}`;
}

/** What the central subscribes to. */
export function allUpTopics(prefix: string): string {
  return `${prefix}/a/+/up/+`;
}

/** What an agent subscribes to. */
export function allDownTopics(prefix: string, agent: string): string {
  return `${prefix}/a/${agent}/down/+`;
}

/** Agent and channel of a topic that an agent wrote to, or null where it is none of ours. */
export function parseUpTopic(prefix: string, topic: string): { agent: string; channel: UpChannel } | null {
  if (!topic.startsWith(`${prefix}/a/`)) return null;
  const parts = topic.slice(prefix.length + 3).split('/');
  const [agent, direction, channel] = parts;
  if (parts.length !== 3 || direction !== 'up' || agent === undefined || !ID_PATTERN.test(agent)) return null;
  const known = upChannels.find((name) => name === channel);
  return known === undefined ? null : { agent, channel: known };
}
