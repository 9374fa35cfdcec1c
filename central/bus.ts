/** News of the fleet inside the central's process: who publishes does not know who listens. */
import type { Bus, FleetEvent } from './api.ts';

/**
 * A bus that calls its listeners at once, in the order in which they came. A listener that throws harms nobody else:
 * what it threw goes to `onError`.
 */
export function createBus(onError: (error: unknown) => void = () => {}): Bus {
  const listeners = new Set<(event: FleetEvent) => void>();
  return {
    publish(event) {
      for (const listener of listeners) {
        try {
          listener(event);
        } catch (error) {
          onError(error);
        }
      }
    },
    subscribe(listener) {
      // An own function object, so that one listener may be subscribed twice and each end is its own.
      const own = (event: FleetEvent): void => listener(event);
      listeners.add(own);
      return () => {
        listeners.delete(own);
      };
    },
  };
}
