// A dialog of the platform's look; Escape closes it and the focus goes back to where it was.
import { type ReactElement, type ReactNode, useEffect, useId, useRef } from "react";

export function Modal({ title, wide = false, onClose, children }: { title: string; wide?: boolean; onClose: () => void; children: ReactNode }): ReactElement {
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    dialog.current?.showModal();
    dialog.current?.querySelector<HTMLElement>("[data-focus]")?.focus();
    return () => {
      if (before?.isConnected && (document.activeElement === document.body || dialog.current?.contains(document.activeElement) || !document.activeElement)) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      className={wide ? "editor-dialog wide" : "editor-dialog"}
      aria-labelledby={id}
      onClose={onClose}
      onKeyDown={(event) => event.stopPropagation()}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}
