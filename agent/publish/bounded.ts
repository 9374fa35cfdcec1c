/** The collection, emptied where it is full. */
export function bounded<T extends { readonly size: number; clear(): void }>(collection: T, most: number): T {
  if (collection.size >= most) collection.clear();
  return collection;
}
