/** Now, renewed now and then, for texts like `12 s ago`. */
import { useEffect, useState } from 'preact/hooks';
import { nowMs } from '../api.ts';

export function useNow(everyMs: number): number {
  const [now, setNow] = useState(nowMs());
  useEffect(() => {
    const timer = setInterval(() => setNow(nowMs()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
