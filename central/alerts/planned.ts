/**
 * Planned work wakes nobody: pure. What opens in its time is kept as it is, with a note that it would have woken
 * somebody; what still lasts when the time is over does so then.
 */
import type { IncidentNews } from '../store/incident-news.ts';
import type { Episode, Thread } from './thread.ts';
import type { At, Threads } from './threads.ts';

/** Whether work is planned on a machine at that time. */
export type Planned = (agent: string, atMs: number) => boolean;

/** An episode as its news say it; what happens during planned work wakes nobody, whenever it is heard of. */
export function episodeOf(news: IncidentNews, planned: Planned, nowMs: number): Episode {
  const { agent, epoch, seq, revision, severity, updatedMs } = news;
  const open = news.state === 'open';
  const quiet = news.wakes && (planned(agent, nowMs) || planned(agent, updatedMs));
  const wakes = news.wakes && !quiet;
  return { id: `${epoch}/${seq}`, revision, open, severity, wakes, ...(quiet && { quiet }) };
}

/** Threads of incidents that were held back, and last now that the work is over. */
export function takeResumed(threads: Threads, planned: Planned, { nowMs }: At): Thread[] {
  const out: Thread[] = [];
  for (const thread of threads.values()) {
    const { agent, state, episodes } = thread;
    if (state !== 'open' || agent === null || !episodes.some(isHeld) || planned(agent, nowMs)) continue;
    const woken = episodes.map((episode): Episode => {
      if (!isHeld(episode)) return episode;
      const { quiet: _quiet, ...rest } = episode;
      return { ...rest, wakes: true };
    });
    out.push({ ...thread, episodes: woken, wakes: true, changedMs: nowMs, dueMs: nowMs });
  }
  return out;
}

function isHeld({ open, quiet }: Episode): boolean {
  return open && quiet === true;
}
