/**
 * What functions that the tests hand to the browser may use there. The tests run in Node, whose types know no page, and
 * types of a page for the whole project would let code of the agent use what it does not have.
 */
export interface PageElement {
  readonly textContent: string;
  readonly dataset: Record<string, string | undefined>;
  readonly width: number;
  readonly height: number;
  readonly scrollWidth: number;
  value: string;
  getAttribute(name: string): string | null;
  click(): void;
  dispatchEvent(event: Event): boolean;
  toDataURL(): string;
  getContext(kind: '2d'): { getImageData(x: number, y: number, w: number, h: number): { data: Uint8ClampedArray } };
}

export interface PageDocument {
  readonly documentElement: PageElement;
  readonly body: PageElement;
  readonly activeElement: PageElement | null;
  querySelector(selector: string): PageElement | null;
  querySelectorAll(selector: string): readonly PageElement[];
}

export interface PageWindow {
  readonly innerWidth: number;
  readonly location: { readonly search: string };
  getComputedStyle(element: PageElement): {
    readonly backgroundColor: string;
    getPropertyValue(name: string): string;
  };
  requestAnimationFrame(done: (ms: number) => void): number;
}
