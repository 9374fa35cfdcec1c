/** A part of the budget that grows with time up to a most: for what people and connections ask for. */
export class Share {
  readonly #bytesPerS: number;
  readonly #mostBytes: number;
  #bytes: number;
  #filledMs: number;

  /** @param bytesPerS Infinity: no bound */
  constructor(bytesPerS: number, mostBytes: number, firstBytes: number, monotonicMs: number) {
    this.#bytesPerS = bytesPerS;
    this.#mostBytes = mostBytes;
    this.#bytes = Math.min(firstBytes, mostBytes);
    this.#filledMs = monotonicMs;
  }

  /** How long until so much is there; 0 where it is. What is more than it ever holds is there when it is full. */
  waitMs(sizeBytes: number, monotonicMs: number): number {
    if (this.#bytesPerS === Number.POSITIVE_INFINITY) return 0;
    this.#fill(monotonicMs);
    const lacking = Math.min(sizeBytes, this.#mostBytes) - this.#bytes;
    return lacking <= 0 ? 0 : Math.ceil((lacking / this.#bytesPerS) * 1000);
  }

  spend(sizeBytes: number, monotonicMs: number): void {
    if (this.#bytesPerS === Number.POSITIVE_INFINITY) return;
    this.#fill(monotonicMs);
    this.#bytes -= sizeBytes;
  }

  #fill(monotonicMs: number): void {
    const passedS = Math.max(0, monotonicMs - this.#filledMs) / 1000;
    this.#filledMs = monotonicMs;
    this.#bytes = Math.min(this.#mostBytes, this.#bytes + this.#bytesPerS * passedS);
  }
}
