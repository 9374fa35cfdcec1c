/** Loads again when the stream tells of this machine, at most every few seconds. */
import { useEffect } from 'preact/hooks';
import type { Fleet, FleetNews } from '../fleet.ts';

const PAUSE_MS = 2_000;

export function useReloadOn(fleet: Fleet, agent: string, type: FleetNews['type'], reload: () => void): void {
  useEffect(() => {
    let timer = 0;
    const stop = fleet.onNews((news) => {
      if (news.agent !== agent || news.type !== type || timer !== 0) return;
      timer = window.setTimeout(() => {
        timer = 0;
        reload();
      }, PAUSE_MS);
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [fleet, agent, type, reload]);
}
