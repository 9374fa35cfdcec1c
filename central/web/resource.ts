/** Something that is loaded from the API: what was loaded stays to be seen while it is asked for again. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { reconnects } from './api.ts';
import { useCell } from './cell.ts';

export interface Resource<T> {
  readonly data: T | undefined;
  readonly error: unknown;
  readonly reload: () => void;
}

/** Loads when the key changes, on `reload`, and when the central is back. */
export function useResource<T>(key: string, load: (signal: AbortSignal) => Promise<T>): Resource<T> {
  const [state, setState] = useState<{ key: string; data: T | undefined; error: unknown }>({
    key,
    data: undefined,
    error: undefined,
  });
  const [count, setCount] = useState(0);
  const connection = useCell(reconnects);
  const loader = useRef(load);
  loader.current = load;
  useEffect(() => {
    const ending = new AbortController();
    loader.current(ending.signal).then(
      (data) => {
        if (!ending.signal.aborted) setState({ key, data, error: undefined });
      },
      (error: unknown) => {
        if (ending.signal.aborted) return;
        setState((before) => ({ key, data: before.key === key ? before.data : undefined, error }));
      },
    );
    return () => ending.abort();
  }, [key, count, connection]);
  const reload = useCallback(() => setCount((n) => n + 1), []);
  const current = state.key === key;
  return { data: current ? state.data : undefined, error: current ? state.error : undefined, reload };
}
