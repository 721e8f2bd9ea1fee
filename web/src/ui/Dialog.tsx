// A modal dialog or side panel: the browser's own <dialog> traps the focus, closes on Escape and gives
// the focus back. It stands in the document's body: a page that is taken out while a part of it loads and put
// back would leave it open but no longer modal, deaf to Escape.
import { onCleanup, onMount, type JSX, type ParentComponent } from 'solid-js';
import { Portal } from 'solid-js/web';

interface DialogProps {
  title: string;
  side?: boolean;
  onClose: () => void;
  actions?: JSX.Element;
}

let counter = 0;

export const Dialog: ParentComponent<DialogProps> = (props) => <Portal><Box {...props} /></Portal>;

const Box: ParentComponent<DialogProps> = (props) => {
  let box!: HTMLDialogElement;
  const title = `dialog-${++counter}`;
  onMount(() => {
    const before = document.activeElement as HTMLElement | null;
    box.showModal();
    // A dialog that begins with a question has the caret in its first field, not on the sign that closes it.
    if (!props.side && !box.querySelector('[autofocus]')) box.querySelector<HTMLElement>('.dialog-body :is(input, select, textarea):not([type=hidden])')?.focus();
    onCleanup(() => {
      box.close();
      // What opened it may be gone by now: the page then, not the top of the document.
      if (before?.isConnected && before !== document.body) before.focus();
      else document.getElementById('main')?.focus();
    });
  });
  return (
    <dialog
      ref={box}
      classList={{ side: props.side }}
      aria-labelledby={title}
      onCancel={(e) => { e.preventDefault(); props.onClose(); }}
      onClick={(e) => e.target === box && props.onClose()}
    >
      <div class="dialog-head">
        <h2 id={title}>{props.title}</h2>
        {props.actions}
        <button type="button" class="btn quiet small" onClick={() => props.onClose()} aria-label="Close">✕</button>
      </div>
      <div class="dialog-body">{props.children}</div>
    </dialog>
  );
};
