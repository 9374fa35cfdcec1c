/** A value that components follow. */
import { useEffect, useState } from 'preact/hooks';

export interface Cell<T> {
  get(): T;
  set(value: T): void;
  /** Calls the listener after each change; returns what ends that. */
  subscribe(listener: (value: T) => void): () => void;
}

export function cell<T>(initial: T): Cell<T> {
  let current = initial;
  const listeners = new Set<(value: T) => void>();
  return {
    get: () => current,
    set(value) {
      if (Object.is(value, current)) return;
      current = value;
      for (const listener of [...listeners]) listener(value);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** The cell's value; the component renders again when it changes. */
export function useCell<T>(from: Cell<T>): T {
  const [value, setValue] = useState(from.get());
  useEffect(() => {
    // It may have changed between the first render and now.
    setValue(() => from.get());
    return from.subscribe((next) => setValue(() => next));
  }, [from]);
  return value;
}
