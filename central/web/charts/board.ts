/** All charts of a page: which are in view, and when they move. */
import { onTheme, preferences } from '../preferences.ts';
import { watched } from '../stream.ts';
import type { MachineSource } from './source.ts';
import type { ChartView } from './view.ts';

/** Charts are made ready a little before they scroll into view. */
const MARGIN_PX = 160;
const SLOW_MS = 10_000;
const MOVE_MS = 1_000;

export interface BoardOptions {
  readonly source: MachineSource;
  readonly zone: () => string;
  readonly onZoom: (fromMs: number, toMs: number) => void;
  readonly onZoomBack: () => void;
}

export class ChartBoard {
  readonly source: MachineSource;
  readonly zone: () => string;
  readonly onZoom: (fromMs: number, toMs: number) => void;
  readonly onZoomBack: () => void;
  readonly #views = new Set<ChartView>();
  readonly #watching = new Map<Element, (visible: boolean) => void>();
  readonly #observer: IntersectionObserver;
  readonly #endings: (() => void)[] = [];
  #frame = 0;
  #slowAtMs = 0;
  #movedAtMs = 0;

  constructor(options: BoardOptions) {
    this.source = options.source;
    this.zone = options.zone;
    this.onZoom = options.onZoom;
    this.onZoomBack = options.onZoomBack;
    this.#observer = new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries) this.#watching.get(target)?.(isIntersecting);
      },
      { rootMargin: `${MARGIN_PX}px 0px` },
    );
    const restyle = (): void => {
      for (const view of this.#views) view.restyle();
    };
    const resize = (): void => {
      for (const view of this.#views) view.resize();
    };
    addEventListener('resize', resize);
    const timer = setInterval(() => this.#move(), MOVE_MS);
    this.#endings.push(
      onTheme(restyle),
      preferences.subscribe(restyle),
      options.source.live.onTick(() => this.#move()),
      () => removeEventListener('resize', resize),
      () => clearInterval(timer),
      () => cancelAnimationFrame(this.#frame),
      // What passed while nobody looked is loaded when somebody does again.
      watched.subscribe((visible) => {
        if (visible) this.reload();
      }),
    );
  }

  whenVisible(element: Element, listener: (visible: boolean) => void): () => void {
    this.#watching.set(element, listener);
    this.#observer.observe(element);
    return () => {
      this.#watching.delete(element);
      this.#observer.unobserve(element);
    };
  }

  add(view: ChartView): () => void {
    this.#views.add(view);
    return () => void this.#views.delete(view);
  }

  /** A window was stored. */
  extend(): void {
    for (const view of this.#views) if (view.followsNow()) void view.extend();
  }

  reload(): void {
    for (const view of this.#views) void view.load();
  }

  end(): void {
    this.#observer.disconnect();
    for (const ending of this.#endings) ending();
    this.source.end();
  }

  /** Once a frame at most, however many ticks come; wide ranges move seldom, as nobody could see it. */
  #move(): void {
    if (this.#frame !== 0 || !watched.get()) return;
    this.#frame = requestAnimationFrame((atMs) => {
      this.#frame = 0;
      if (atMs - this.#movedAtMs < MOVE_MS / 3) return;
      this.#movedAtMs = atMs;
      const slow = atMs - this.#slowAtMs > SLOW_MS;
      if (slow) this.#slowAtMs = atMs;
      for (const view of this.#views) if (view.movesEachSecond() || (slow && view.followsNow())) view.render();
    });
  }
}
