/**
 * The document of a webhook: Alertmanager's (version 4), so that what takes that takes this, with the names of
 * PagerDuty's events and a title and text for chats beside it. See docs/alerts.md. Pure.
 */
import type { Item } from '../due.ts';
import { linkOf, oneLine, placeOf } from '../message.ts';
import type { Thread } from '../thread.ts';
import type { Delivery } from './target.ts';

const DESCRIPTION_LINES = 5;

const names = {
  incident: 'PicketIncident',
  silent: 'PicketAgentOverdue',
  site: 'PicketSiteSilent',
  fleet: 'PicketFleetSilent',
  broker: 'PicketBrokerLost',
} as const satisfies Record<Thread['kind'], string>;

export function webhookBody(delivery: Delivery, receiver: string, fields: Readonly<Record<string, string>>): string {
  const { message, naming, headline, text, subject, id, dropped, atMs } = delivery;
  const [first] = message.items;
  const firing = message.items.some(({ thread }) => thread.state === 'open');
  const alerts = message.items.map((item) => alertOf(item, delivery));
  const groupKey = message.kind === 'one' && first !== undefined ? first.thread.key : `digest:${id}`;
  const gravest = first?.thread.severity ?? 'info';
  return JSON.stringify({
    ...fields,
    version: '4',
    status: firing ? 'firing' : 'resolved',
    receiver,
    groupKey,
    truncatedAlerts: 0,
    groupLabels: {},
    commonLabels: common(alerts.map(({ labels }) => labels)),
    commonAnnotations: {},
    externalURL: naming.url,
    alerts,
    event_action: firing ? 'trigger' : 'resolve',
    dedup_key: groupKey.slice(0, 255),
    payload: {
      summary: oneLine(`${headline}: ${first?.thread.title ?? ''}`, 1000),
      source: first === undefined ? 'picket' : placeOf(first.thread, naming),
      severity: gravest,
      timestamp: iso(first?.thread.openedMs ?? atMs),
    },
    title: delivery.oneLine,
    text,
    picket: { format: 1, id, kind: message.kind, change: first?.change ?? null, subject, sentMs: atMs, dropped },
  });
}

function alertOf({ thread, change }: Item, { naming, message }: Delivery) {
  const labels: Record<string, string> = { alertname: names[thread.kind], severity: thread.severity };
  if (thread.agent !== null) {
    labels.agent = thread.agent;
    labels.name = naming.nameOf(thread.agent);
  }
  if (thread.site !== '') labels.site = thread.site;
  return {
    status: thread.state === 'open' ? 'firing' : 'resolved',
    labels,
    annotations: {
      summary: thread.title,
      // A digest says what there is; each one's findings are on its page.
      description: message.kind === 'one' ? thread.lines.slice(0, DESCRIPTION_LINES).join('\n') : '',
      change,
      // Heard of when it was long over.
      late: String(thread.late),
    },
    startsAt: iso(thread.openedMs),
    // Alertmanager says of what lasts that it ended in the year 1.
    endsAt: thread.closedMs === null ? '0001-01-01T00:00:00Z' : iso(thread.closedMs),
    generatorURL: linkOf(thread, naming.url),
    fingerprint: thread.key,
  };
}

function common(all: readonly Readonly<Record<string, string>>[]): Record<string, string> {
  const [first = {}, ...others] = all;
  return Object.fromEntries(
    Object.entries(first).filter(([name, value]) => others.every((labels) => labels[name] === value)),
  );
}

function iso(ms: number): string {
  return Number.isFinite(ms) && Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : '0001-01-01T00:00:00Z';
}
