/** A command to paste, with a button that copies it. */
import { useState } from 'preact/hooks';

export function Command({ text }: { readonly text: string }) {
  const [copied, setCopied] = useState<'no' | 'yes' | 'failed'>('no');
  const copy = (): void => {
    // Only a secure context has a clipboard.
    const done = navigator.clipboard?.writeText(text) ?? Promise.reject(new Error('no clipboard'));
    done.then(
      () => setCopied('yes'),
      () => setCopied('failed'),
    );
  };
  return (
    <div class="command">
      <code data-role="command">{text}</code>
      <button type="button" onClick={copy}>
        {copied === 'yes' ? 'Copied' : copied === 'failed' ? 'Select and copy' : 'Copy'}
      </button>
    </div>
  );
}
