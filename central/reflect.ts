/**
 * The part of `reflect-metadata` (https://rbuckton.github.io/reflect-metadata) that the X.509 library asks for: its
 * container of algorithms notes the types of constructors by it. Import this before the library.
 */
type Target = object;
type Key = string | symbol | undefined;

const notes = new WeakMap<Target, Map<Key, Map<unknown, unknown>>>();

function ownNotes(target: Target, property: Key): Map<unknown, unknown> {
  const ofTarget = notes.get(target) ?? new Map<Key, Map<unknown, unknown>>();
  notes.set(target, ofTarget);
  const ofProperty = ofTarget.get(property) ?? new Map<unknown, unknown>();
  ofTarget.set(property, ofProperty);
  return ofProperty;
}

function getOwnMetadata(name: unknown, target: Target, property?: Key): unknown {
  return notes.get(target)?.get(property)?.get(name);
}

function getMetadata(name: unknown, target: Target, property?: Key): unknown {
  for (let at: Target | null = target; at !== null; at = Object.getPrototypeOf(at)) {
    const found = getOwnMetadata(name, at, property);
    if (found !== undefined) return found;
  }
  return undefined;
}

function defineMetadata(name: unknown, value: unknown, target: Target, property?: Key): void {
  ownNotes(target, property).set(name, value);
}

function metadata(name: unknown, value: unknown) {
  return (target: Target, property?: Key): void => defineMetadata(name, value, target, property);
}

const parts = { getOwnMetadata, getMetadata, defineMetadata, metadata };
for (const [name, value] of Object.entries(parts)) {
  if (!(name in Reflect)) Object.defineProperty(Reflect, name, { value, configurable: true, writable: true });
}
