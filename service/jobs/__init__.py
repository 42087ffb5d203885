"""Jobs: files of molecules predicted in the background, whatever happens to the process."""
