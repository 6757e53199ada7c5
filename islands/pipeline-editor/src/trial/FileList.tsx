// The person's own files and the archives, walked folder by folder to choose an input.
import { type ReactElement, useEffect, useState } from "react";
import type { Session } from "../document/session";
import { Icon } from "../Icon";
import type { Folder } from "./wire";

function sizeOf(bytes: number): string {
  return bytes < 1000 ? `${bytes} B` : bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

interface Props {
  session: Session;
  kind: "File" | "Directory";
  label: string;
  onPick: (path: string) => void;
}

export function FileList({ session, kind, label, onPick }: Props): ReactElement {
  const [path, open] = useState("");
  const [folder, setFolder] = useState<Folder | null>(null);
  const [trouble, tell] = useState("");
  useEffect(() => {
    let stale = false;
    session.platform.browse(path).then(
      (found) => {
        if (stale) return;
        setFolder(found);
        tell(found.trouble);
      },
      (error: unknown) => !stale && tell(error instanceof Error ? error.message : String(error)),
    );
    return () => {
      stale = true;
    };
  }, [session, path]);
  return (
    <div className="file-list" role="group" aria-label={`Choose for ${label}`}>
      {trouble && <p className="error" role="alert">{trouble}</p>}
      {folder?.path && (
        <div className="cluster">
          <button type="button" className="button small quiet" onClick={() => open(folder.above)}>Up</button>
          <code>{folder.path}</code>
          {kind === "Directory" && <button type="button" className="button small primary" onClick={() => onPick(folder.path)}>Choose this folder</button>}
        </div>
      )}
      <ul role="list">
        {folder?.places.map((place) => (
          <li key={place.path}><button type="button" className="button small quiet" onClick={() => open(place.path)}><Icon name="folder" /> {place.title} <code>{place.path}</code></button></li>
        ))}
        {folder?.entries.map((entry) => (
          <li key={entry.path}>
            {entry.folder ? (
              <button type="button" className="button small quiet" onClick={() => open(entry.path)}><Icon name="folder" /> {entry.name}</button>
            ) : (
              <button type="button" className="button small quiet" disabled={kind !== "File"} onClick={() => onPick(entry.path)}><Icon name="file" /> {entry.name} <small>{sizeOf(entry.size)}</small></button>
            )}
          </li>
        ))}
        {folder?.path && folder.entries.length === 0 && <li className="soft">This folder is empty.</li>}
      </ul>
    </div>
  );
}
