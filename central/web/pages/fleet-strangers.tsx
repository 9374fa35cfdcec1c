/** Machines that knock and are not enrolled here: after a restore, those that were enrolled since the backup. */
import { useCell } from '../cell.ts';
import { Moment } from '../components/parts.tsx';
import type { Fleet } from '../fleet.ts';
import { counted } from '../format.ts';

/** Lines; the others are counted. */
const SHOWN = 5;

export function StrangersNotice({ fleet }: { readonly fleet: Fleet }) {
  const strangers = useCell(fleet.status)?.strangers ?? [];
  if (strangers.length === 0) return null;
  const more = strangers.length - SHOWN;
  return (
    <div class="notice warning" role="status" data-role="strangers">
      {strangers.slice(0, SHOWN).map(({ agent, lastMs, advice }) => (
        <p key={agent}>
          <Moment ms={lastMs} /> {advice}.
        </p>
      ))}
      {more > 0 && <p>And {counted(more, 'more machine')}.</p>}
    </div>
  );
}
