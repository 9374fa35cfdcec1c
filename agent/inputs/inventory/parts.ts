/**
 * The shape of the inventory document. `resource` has OpenTelemetry's resource attributes (host, os, device); the rest
 * is what these have no names for. Serial numbers, hardware and network addresses are there only where the operator
 * asked for them.
 */
import type { known } from './bounded.ts';

type Known = ReturnType<typeof known>;

export interface Inventory {
  /** `host.name`, `host.arch`, `host.cpu.model.name`, `os.type`, `os.version`, `device.model.name`, … */
  readonly resource: Known;
  /** `zone`: the machine's time zone, by its IANA name. */
  readonly time?: Known;
  readonly kernel?: Known;
  readonly board?: Known;
  readonly firmware?: Known;
  readonly processor?: Known;
  readonly memory?: Known;
  readonly memoryModules?: readonly Known[];
  readonly virtualisation?: Known;
  readonly disks?: readonly Known[];
  readonly networks?: readonly Known[];
  /** Parts that could not be found out, with the reason. */
  readonly missing?: readonly string[];
}

/** Both together; where both have a key the second one holds. */
export function merge(first: Inventory, second: Inventory): Inventory {
  const merged: Record<string, unknown> = { ...first };
  for (const [part, value] of Object.entries(second)) {
    const before = merged[part];
    const both = isRecord(before) && isRecord(value);
    if (Array.isArray(before) && Array.isArray(value))
      merged[part] = part === 'missing' ? [...before, ...value] : value;
    else merged[part] = both ? { ...before, ...value } : value;
  }
  return merged as unknown as Inventory;
}

/** Without the parts that have nothing in them. */
export function told(inventory: Inventory): Inventory {
  const parts = Object.entries(inventory).filter(
    ([part, value]) => part === 'resource' || (Array.isArray(value) ? value.length : Object.keys(value).length) > 0,
  );
  return Object.fromEntries(parts) as unknown as Inventory;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
