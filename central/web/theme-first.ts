/** Runs before the first paint, so that a chosen theme does not flash. Kept apart and tiny: it blocks the page. */
try {
  const { theme } = JSON.parse(localStorage.getItem('picket.preferences') ?? '{}') as { theme?: unknown };
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Without storage the system's theme holds.
}
