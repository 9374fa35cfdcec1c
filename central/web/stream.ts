/**
 * Server-sent events. A browser opens few connections to one host, and all its tabs share them: a page that nobody
 * looks at holds no stream.
 */
import { cell } from './cell.ts';

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 20_000;

/** Whether this page is looked at. */
export const watched = cell(document.visibilityState === 'visible');
document.addEventListener('visibilitychange', () => watched.set(document.visibilityState === 'visible'));

export interface StreamHandlers {
  /** By the event's name. */
  readonly on: Readonly<Record<string, (data: unknown) => void>>;
  /** Each time that it is open (again): what was missed meanwhile is not sent again. */
  readonly onOpen?: () => void;
  readonly onLost?: () => void;
}

/** Keeps a stream open while the page is looked at; returns what ends it. */
export function openStream(path: string, handlers: StreamHandlers): () => void {
  let source: EventSource | null = null;
  let timer = 0;
  let pauseMs = FIRST_PAUSE_MS;
  let ended = false;

  const close = (): void => {
    clearTimeout(timer);
    source?.close();
    source = null;
  };
  const open = (): void => {
    close();
    if (ended || !watched.get()) return;
    const mine = new EventSource(`/api/v1${path}`);
    source = mine;
    mine.onopen = () => {
      pauseMs = FIRST_PAUSE_MS;
      handlers.onOpen?.();
    };
    mine.onerror = () => {
      if (source !== mine) return;
      handlers.onLost?.();
      // The browser tries again by itself only when the connection broke, not when it was refused.
      if (mine.readyState !== EventSource.CLOSED) return;
      timer = window.setTimeout(open, pauseMs);
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    };
    for (const [name, handler] of Object.entries(handlers.on)) {
      mine.addEventListener(name, (event) => {
        try {
          handler(JSON.parse((event as MessageEvent<string>).data));
        } catch (error) {
          console.error(`event ${name}`, error);
        }
      });
    }
  };
  const stopWatching = watched.subscribe((visible) => (visible ? open() : close()));
  open();
  return () => {
    ended = true;
    stopWatching();
    close();
  };
}
