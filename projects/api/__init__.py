"""The app API over HTTP: one project's data to its apps. Views translate; operations decide."""
