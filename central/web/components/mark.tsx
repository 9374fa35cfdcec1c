/** The mark of the project: two pickets, and a pulse between them. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
      <path d="M7 26V11l3.500-5 3.500 5v15zM18 26V11l3.500-5 3.500 5v15z" fill="currentColor" opacity="0.35" />
      <path
        d="M2 19h6l2.500-5 4 9 4-12 3.500 10 2-2h6"
        fill="none"
        stroke="currentColor"
        stroke-width="2.400"
        stroke-linejoin="round"
        stroke-linecap="round"
      />
    </svg>
  );
}
