/**
 * Plain JSON for those on site: incidents and the machine's state on a broker of the site's own, for a PLC, Node-RED,
 * Home Assistant or a lamp on the wall. It works without the central, and nothing of the agent waits for it.
 *
 *     PREFIX/NAME/state      retained, and as the will: online, the gravest severity, what is open
 *     PREFIX/NAME/incident   each revision of an incident, once
 *
 * Bounds: of each incident the latest revision alone waits for the connection, of at most 64 incidents; the oldest goes
 * first and is counted in the state.
 */
import { messageOf } from '../shared/errors.ts';
import { type Incident, type Severity, severities } from '../shared/findings.ts';
import type { Log } from '../shared/log.ts';

/** What it needs of a connection. */
export interface SiteLink {
  readonly connected: boolean;
  publish(topic: string, payload: Uint8Array, options: { qos: 0 | 1; retain?: boolean }): Promise<void>;
  close(last?: { topic: string; payload: Uint8Array }): Promise<void>;
}

export interface SiteOptions {
  /** What its topics begin with. */
  readonly prefix: string;
  /** What the machine is called in the topics. */
  readonly name: string;
  readonly version: string;
  readonly wallMs: () => number;
  readonly log: Log;
  /** Incidents that are open already. */
  readonly open: readonly Incident[];
  /** Connects, again and again; `connected` is called each time. */
  readonly connect: (will: { topic: string; payload: () => Uint8Array }, connected: () => void) => SiteLink;
}

const MOST_WAITING = 64;
const MOST_OPEN = 64;
const MOST_FINDINGS = 8;
/** The state is said again as often, so that whoever reads it sees that it is not old. */
const AGAIN_MS = 60_000;

export class SiteStage {
  readonly #options: SiteOptions;
  readonly #open = new Map<string, Incident>();
  readonly #waiting = new Map<string, Incident>();
  readonly #link: SiteLink;
  readonly #again: NodeJS.Timeout;
  #dropped = 0;
  #stateDue = true;
  #sending = false;
  #ended = false;

  constructor(options: SiteOptions) {
    this.#options = options;
    for (const incident of options.open.slice(0, MOST_OPEN)) this.#open.set(idOf(incident), incident);
    this.#link = options.connect({ topic: this.#topic('state'), payload: () => this.#state(false) }, () => {
      this.#stateDue = true;
      this.#send();
    });
    this.#again = setInterval(() => {
      this.#stateDue = true;
      this.#send();
    }, AGAIN_MS);
    this.#again.unref();
  }

  /** A revision of an incident. Never waits, never throws. */
  incident(incident: Incident): void {
    const id = idOf(incident);
    this.#open.delete(id);
    if (incident.state === 'open') {
      if (this.#open.size >= MOST_OPEN) this.#open.delete(this.#open.keys().next().value!);
      this.#open.set(id, incident);
    }
    // The latest revision says all that the one before did.
    this.#waiting.delete(id);
    if (this.#waiting.size >= MOST_WAITING) {
      this.#waiting.delete(this.#waiting.keys().next().value!);
      this.#dropped++;
    }
    this.#waiting.set(id, incident);
    this.#stateDue = true;
    this.#send();
  }

  async close(): Promise<void> {
    this.#ended = true;
    clearInterval(this.#again);
    await this.#link.close({ topic: this.#topic('state'), payload: this.#state(false) });
  }

  /** One message after the other; what fails waits for the next connection. */
  #send(): void {
    if (this.#sending || this.#ended || !this.#link.connected) return;
    const next = this.#next();
    if (next === null) return;
    this.#sending = true;
    this.#link.publish(next.topic, next.payload, { qos: 1, retain: next.retain }).then(
      () => {
        this.#sending = false;
        next.sent();
        this.#send();
      },
      (error: unknown) => {
        this.#sending = false;
        this.#options.log.debug({ problem: messageOf(error) }, 'a message for the site waits for the connection');
      },
    );
  }

  #next(): { topic: string; payload: Uint8Array; retain: boolean; sent: () => void } | null {
    const first = this.#waiting.entries().next();
    if (!first.done) {
      const [id, incident] = first.value;
      const sent = (): void => {
        // A later revision may have come meanwhile.
        if (this.#waiting.get(id) === incident) this.#waiting.delete(id);
      };
      return { topic: this.#topic('incident'), payload: encode(plainIncident(incident)), retain: false, sent };
    }
    if (!this.#stateDue) return null;
    this.#stateDue = false;
    return { topic: this.#topic('state'), payload: this.#state(true), retain: true, sent: () => {} };
  }

  #topic(last: string): string {
    return `${this.#options.prefix}/${this.#options.name}/${last}`;
  }

  #state(online: boolean): Uint8Array {
    const open = [...this.#open.values()];
    const weight = (severity: Severity): number => severities.indexOf(severity);
    const gravest = open.reduce<Severity | null>(
      (most, { severity }) => (most === null || weight(severity) > weight(most) ? severity : most),
      null,
    );
    return encode({
      machine: this.#options.name,
      online,
      severity: gravest ?? 'ok',
      open: open.length,
      incidents: open.map((incident) => {
        const { severity, title, openedMs } = incident;
        return { id: idOf(incident), severity, title, openedAt: iso(openedMs) };
      }),
      dropped: this.#dropped,
      version: this.#options.version,
      at: iso(this.#options.wallMs()),
    });
  }
}

/** What is left of an incident for those who know nothing of Picket: no bits, no ids of series. */
function plainIncident(incident: Incident): Record<string, unknown> {
  const { state, severity, title, openedMs, updatedMs, closedMs, findings, more, revision, notify } = incident;
  return {
    id: idOf(incident),
    revision,
    state,
    severity,
    title,
    openedAt: iso(openedMs),
    updatedAt: iso(updatedMs),
    closedAt: closedMs === null ? null : iso(closedMs),
    ...(notify !== undefined && { wakes: notify.wakes }),
    findings: findings.slice(0, MOST_FINDINGS).map((finding) => ({
      metric: finding.key.name,
      unit: finding.key.unit,
      attributes: finding.key.attributes,
      seen: finding.seen,
      expectedLow: finding.expectedLow,
      expectedHigh: finding.expectedHigh,
      since: iso(finding.sinceMs),
      text: finding.text,
      ...(finding.rule !== undefined && { rule: finding.rule }),
      ...((finding.advice ?? '') !== '' && { advice: finding.advice }),
    })),
    more: more + Math.max(0, findings.length - MOST_FINDINGS),
  };
}

function idOf({ epoch, seq }: Incident): string {
  return `${epoch}-${seq}`;
}

function encode(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

/** A clock may say anything. */
function iso(ms: number): string | null {
  return Number.isFinite(ms) && Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : null;
}
